import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settled } from './settled';
import { ask, Clones, expect, harvest, serve, test, type Waypost } from './waypost';

// What an entity was, and what becomes of a bookmark once it is no more. The
// revisions are made by commits and harvests, as those of an organisation are.

type Revision = { revision: string; op: string; time: string };

const component = (name: string, title: string, lifecycle = 'production') => `apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: ${name}, title: ${title}}
spec: {type: service, lifecycle: ${lifecycle}, owner: nobody}
`;

const revisionsOf = async (server: Waypost, name: string) =>
  (await ask<{ revisions: Revision[] }>(`${server.url}/v1/entities/component:default/${name}/revisions`)).revisions;

/** Serves the clones with what becomes of an entity that nothing declares any more. */
async function serveWith(clones: Clones, orphans: 'keep' | 'delete'): Promise<Waypost> {
  const file = join(clones.path, 'waypost.yaml');
  // One of two entities is more than a source may lose at once by itself.
  const source = `{type: dir, path: ${JSON.stringify(clones.path)}, maxRemovals: 0}`;
  writeFileSync(file, `orphans: ${orphans}\nsources: [${source}]\n`);
  return serve(['--config', file]);
}

test.describe('what was', () => {
  let clones: Clones;
  let server: Waypost;
  test.beforeAll(async () => {
    clones = new Clones();
    const say = (text: string) => clones.commit('web', { 'catalog-info.yaml': text });
    say(`${component('web', 'First')}---\n${component('old', 'Old one')}`);
    server = await serveWith(clones, 'delete');
    say(`${component('web', 'Second')}---\n${component('old', 'Old one', 'deprecated')}`);
    await harvest(server.url);
    say(component('web', 'Third', 'experimental'));
    await harvest(server.url);
  });
  test.afterAll(async () => {
    await server?.stop();
    clones?.remove();
  });

  test('any two revisions are compared, and the address says which', async ({ page }) => {
    const content = (await revisionsOf(server, 'web')).filter((r) => ['OP_ADDED', 'OP_CHANGED'].includes(r.op));
    const [third, , first] = content.map((r) => r.revision);
    await page.goto(`${server.url}/catalog/default/component/web/history`);
    await settled(page);
    await page.getByLabel('From revision').selectOption(first ?? '');
    await page.getByLabel('To revision').selectOption(third ?? '');
    await page.getByRole('button', { name: 'Compare', exact: true }).click();
    await expect(page).toHaveURL(new RegExp(`from=%22${first}%22&to=%22${third}%22|from=${first}&to=${third}`));
    const panel = page.getByRole('region', { name: `From revision ${first} to revision ${third}` });
    await expect(panel.getByRole('row', { name: /metadata\.title/ })).toHaveText(/First.*Third/);
    await expect(panel.getByRole('row', { name: /spec\.lifecycle/ })).toHaveText(/production.*experimental/);
    const { text } = await ask<{ text: string }>(
      `${server.url}/v1/entities/component:default/web:diff?fromRevision=${first}&toRevision=${third}`,
    );
    const signed = text.split('\n').filter((line) => /^[-+](?![-+])/.test(line));
    expect(signed.length).toBeGreaterThan(3);
    const diff = panel.getByRole('group', { name: 'Difference as YAML' });
    for (const line of signed) await expect(diff).toContainText(line.slice(1).trim());
    // Who gets the address sees the same.
    await page.reload();
    await expect(panel.getByRole('row', { name: /metadata\.title/ })).toHaveText(/First.*Third/);
  });

  test('it is shown as it was then, and the way back leads to now', async ({ page }) => {
    const [, second] = (await revisionsOf(server, 'web')).filter((r) => ['OP_ADDED', 'OP_CHANGED'].includes(r.op));
    await page.goto(`${server.url}/catalog/default/component/web/history`);
    await settled(page);
    const entry = page.getByRole('listitem').filter({ hasText: `revision ${second?.revision}` });
    await entry.getByRole('link', { name: 'As it was then' }).click();
    await expect(page).toHaveURL(/asOf=/);
    const then = page.locator('main dl').filter({ hasText: 'Revision' });
    await expect(then).toContainText('NameSecond');
    await expect(then).toContainText(`Revision${second?.revision}`);
    await expect(page.getByRole('heading', { level: 1 })).toContainText('Third');
    await page.getByRole('button', { name: 'Back to now' }).click();
    await expect(page).not.toHaveURL(/asOf=/);
    await expect(then).toHaveCount(0);

    await page.goto(`${server.url}/catalog/default/component/web/history?asOf=2001-01-01T00:00:00Z`);
    await expect(page.getByText(/It did not exist then|That is before what is kept/)).toBeVisible();
  });

  test('a bookmark of what was removed says so, when, and what it was', async ({ page }) => {
    const [removed, ...before] = await revisionsOf(server, 'old');
    expect(removed?.op).toBe('OP_REMOVED');
    for (const tab of ['', '/ownership', '/history']) {
      await page.goto(`${server.url}/catalog/default/component/old${tab}`);
      await settled(page);
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('Old one');
      await expect(page.getByText('It was removed from the catalog')).toBeVisible();
      await expect(page.getByText(/^Removed .*, by harvest \d+, from dir:.* \(acme\/web\)\.$/)).toBeVisible();
      const said = await page.locator('main time').first().getAttribute('datetime');
      expect(Date.parse(said ?? '')).toBe(Math.floor(Date.parse(removed?.time ?? '')));
      await expect(page.locator('main .cm-content').first()).toContainText('lifecycle: deprecated');
    }
    const entry = page.getByRole('listitem').filter({ hasText: `revision ${removed?.revision}` });
    await expect(entry).toHaveText(/^Removed/);
    await expect(entry, 'the commit that had it is not the one that took it away').not.toContainText('commit');
    // Its history is one to look into, as that of what is still there.
    const [changed, added] = before.filter((r) => r.op !== 'OP_FACTS').map((r) => r.revision);
    await page.getByRole('button', { name: 'Compare', exact: true }).click();
    const panel = page.getByRole('region', { name: `From revision ${added} to revision ${changed}` });
    await expect(panel.getByRole('row', { name: /spec\.lifecycle/ })).toHaveText(/production.*deprecated/);
    const first = page.getByRole('listitem').filter({ hasText: `revision ${added}` });
    await first.getByRole('link', { name: 'As it was then' }).click();
    await expect(page.locator('main dl').filter({ hasText: 'Revision' })).toContainText(/Lifecycle\s*production/i);
  });
});

test('an orphan says that it is one, until it is declared again', async ({ page }) => {
  const clones = new Clones();
  const both = `${component('web', 'Web')}---\n${component('left', 'Left over')}`;
  clones.commit('web', { 'catalog-info.yaml': both });
  const server = await serveWith(clones, 'keep');
  try {
    const orphan = page.getByText('Orphan:', { exact: false });
    await page.goto(`${server.url}/catalog/default/component/left`);
    await settled(page);
    await expect(orphan).toHaveCount(0);
    await expect(page.getByText('Live', { exact: true })).toBeVisible();
    clones.commit('web', { 'catalog-info.yaml': component('web', 'Web') });
    await harvest(server.url);
    await expect(orphan).toBeVisible();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('Left over');
    clones.commit('web', { 'catalog-info.yaml': both });
    await harvest(server.url);
    await expect(orphan).toHaveCount(0);
  } finally {
    await server.stop();
    clones.remove();
  }
});
