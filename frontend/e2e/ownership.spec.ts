import { settled } from './settled';
import { ask, Clones, expect, serve, test } from './waypost';

// Ada, who makes all commits of a test, works in a team that the file does not name.
const drifting = `apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: said}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: working}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: ada}
spec: {profile: {email: ada@example.com}, memberOf: [working]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: shop}
spec: {type: service, lifecycle: production, owner: said}
`;

type Drift = { share: number; commits: number; dismissedUntil?: string; dismissedBy?: string };

test('a drift is told with its figures, and dismissed with a name and a reason', async ({ page }) => {
  const clones = new Clones();
  const commits = 12; // fewer are no evidence
  for (let i = 0; i < commits; i++) clones.commit('shop', { 'catalog-info.yaml': `${drifting}# ${i}\n` });
  const server = await serve(['--dir', clones.path]);
  const driftNow = async () =>
    (
      await ask<{ ownership?: { drift?: Drift } }>(`${server.url}/v1/entities/component:default/shop/ownership`).catch(
        () => undefined,
      )
    )?.ownership?.drift;
  try {
    await expect.poll(driftNow).toMatchObject({ share: 1, commits });
    await page.goto(`${server.url}/catalog/default/component/shop/ownership`);
    await settled(page);
    const panel = page.getByRole('region', { name: 'Drift', exact: true });
    await expect(panel).toContainText(
      `working did 100 % of the work in the last 90 days (${commits} commits), but Group said is declared`,
    );
    await panel.getByRole('button', { name: 'Dismiss…' }).click();
    const send = panel.getByRole('button', { name: 'Dismiss for 90 days' });
    await expect(send).toBeDisabled();
    await panel.getByLabel('Why it is as it should be').fill('They help out until spring');
    await expect(send, 'a decision has a name').toBeDisabled();
    await panel.getByLabel('Your name').fill('Grace');
    await send.click();
    await expect(panel).toContainText(/Dismissed by Grace until .*: They help out until spring/);
    await expect(panel.getByRole('button')).toHaveCount(0);
    const dismissed = await driftNow();
    expect(dismissed?.dismissedBy).toBe('Grace');
    const days = (Date.parse(dismissed?.dismissedUntil ?? '') - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(90);
    // It was said to the server, not to this page alone.
    await page.reload();
    await expect(panel).toContainText('Dismissed by Grace');
  } finally {
    await server.stop();
    clones.remove();
  }
});

test('a person decides the owner, and takes it back', async ({ page, sample }) => {
  const name = 'abandoned-baskets';
  const owner = async () =>
    (await ask<{ ownership: { ownerRef: string } }>(`${sample.url}/v1/entities/component:default/${name}/ownership`))
      .ownership.ownerRef;
  const before = await owner();
  await page.goto(`/catalog/default/component/${name}/ownership`);
  await settled(page);
  const effective = page.getByRole('region', { name: 'Effective owner' });
  const panel = page.getByRole('region', { name: 'Decision by a person' });
  await expect(effective).toContainText(before.replace('group:default/', ''));
  await panel.getByRole('button', { name: 'Decide the owner…' }).click();
  await panel.getByLabel('Owner').fill('group:default/data');
  await panel.getByLabel('Reason').fill('Moved last week');
  await panel.getByLabel('Your name').fill('Grace');
  await panel.getByRole('button', { name: 'Decide', exact: true }).click();
  await expect(effective).toContainText('data');
  await expect(panel).toContainText('Moved last week');
  await expect.poll(owner).toBe('group:default/data');
  await panel.getByRole('button', { name: 'Take it back' }).click();
  await expect.poll(owner).toBe(before);
  await expect(effective).toContainText('Declared; certain');
  await expect(panel).toContainText('None.');
});

test('the trend is drawn from the second day on', async ({ page }) => {
  // A figure is kept each day, and a test has one day: those of two days before are put into the answer.
  const day = (n: number, owned: string) => ({
    time: `2026-01-0${n}T12:00:00Z`,
    coverage: { entities: '10', owned, sources: {}, statuses: {} },
  });
  await page.route('**/v1/ownership:report*', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), samples } });
  });
  let samples = [day(1, '4')];
  await page.goto('/ownership');
  await settled(page);
  const panel = page.getByRole('region', { name: 'Owned', exact: true });
  await expect(panel).toContainText('from the second on they are drawn here');
  samples = [day(1, '4'), day(2, '5'), day(3, '7')];
  await page.reload();
  await settled(page);
  await expect(panel.getByRole('figure')).toContainText('40 % on 1 Jan, 70 % on 3 Jan.');
  await expect(panel.locator('.recharts-area-curve')).toBeVisible();
  await expect(panel.locator('.recharts-dot')).toHaveCount(3);
});
