import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settled } from './settled';
import { ask, Clones, corpus, expect, harvest, hasCorpus, serve, test } from './waypost';

test('a service is found in under three actions', async ({ page }) => {
  await page.goto('/');
  await settled(page);
  await page.keyboard.press('Control+k'); // one
  const box = page.getByRole('dialog').getByRole('combobox');
  await expect(box).toBeFocused();
  await box.fill('checkout-api'); // two, and Enter
  await expect(
    page
      .getByRole('dialog')
      .getByRole('option', { name: /checkout-api|Checkout API/ })
      .first(),
  ).toBeVisible();
  await box.press('Enter');
  await expect(page).toHaveURL(/\/catalog\/default\/\w+\/checkout-api/);
  await expect(page.getByRole('heading', { level: 1 })).toContainText(/checkout/i);
});

test('a dependency is followed, and Back leads back', async ({ page }) => {
  await page.goto('/catalog/default/component/checkout-api/dependencies?view=list');
  await settled(page);
  const first = page.locator('main table a[href^="/catalog/"]').first();
  const address = await first.getAttribute('href');
  await first.click();
  await expect(page).toHaveURL(new RegExp(`${address}$`));
  await settled(page);
  await page.goBack();
  await expect(page).toHaveURL(/checkout-api\/dependencies\?view=list$/);
  await expect(page.locator('main table a[href^="/catalog/"]').first()).toHaveAttribute('href', address ?? '');
});

test('what is filtered is shared by its address', async ({ page, context, sample }) => {
  await page.goto('/catalog');
  await settled(page);
  const total = Number(
    (
      await ask<{ totalSize: number }>(
        `${sample.url}/v1/entities?filter=${encodeURIComponent('entity.kind == "Component"')}&pageSize=1`,
      )
    ).totalSize,
  );
  await page
    .getByRole('checkbox', { name: /^website/ })
    .first()
    .check();
  await expect(page).toHaveURL(/website/);
  const { totalSize } = await ask<{ totalSize: number }>(
    `${sample.url}/v1/entities?filter=${encodeURIComponent('entity.kind == "Component" && entity.spec.type == "website"')}&pageSize=1`,
  );
  expect(totalSize).toBeLessThan(total);
  const rows = page.locator('main table tbody tr[aria-rowindex]');
  await expect(rows).toHaveCount(totalSize);
  const other = await context.newPage();
  await other.goto(page.url());
  await settled(other);
  await expect(other.locator('main table tbody tr[aria-rowindex]')).toHaveCount(totalSize);
  await expect(other.getByRole('checkbox', { name: /^website/ }).first()).toBeChecked();
});

test('a wrong expression says where it is wrong', async ({ page }) => {
  await page.goto(`/catalog?filter=${encodeURIComponent('entity.spec.type === "service"')}`);
  await expect(page.getByText(/Syntax error/).first()).toBeVisible();
});

test('a problem leads to the file and the line that the server names', async ({ page, sample }) => {
  type Problem = { message: string; repository?: string; path?: string; line?: number; column?: number; url?: string };
  const { problems } = await ask<{ problems: Problem[] }>(`${sample.url}/v1/problems?pageSize=100`);
  const placed = problems.filter((p) => p.url && p.line);
  expect(placed.length).toBeGreaterThan(3);
  await page.goto('/problems');
  await settled(page);
  for (const p of placed) {
    const file = `${p.repository}/${p.path}:${p.line}${p.column ? `:${p.column}` : ''}`;
    const link = page.getByRole('listitem').filter({ hasText: p.message }).getByRole('link', { name: file });
    const to = await link.first().getAttribute('href');
    expect(to).toBe(p.url);
    expect(to).toMatch(new RegExp(`^https://github\\.com/${p.repository}/blob/.+/${p.path}#L${p.line}$`));
    await expect(link.first()).toHaveAttribute('rel', /noopener/);
  }
});

test('the catalog tells with which rows something is wrong, and leads to it', async ({ page, sample }) => {
  const levelled = async (level: string) => {
    const filter = encodeURIComponent(`entity.kind == "Component" && entity.status.level == "${level}"`);
    const { entities } = await ask<{ entities: { name: string }[] }>(
      `${sample.url}/v1/entities?filter=${filter}&readMask=name&pageSize=500`,
    );
    return entities.map((e) => e.name.replace('entities/component:default/', '/catalog/default/component/')).sort();
  };
  // So high that all rows are there.
  await page.setViewportSize({ width: 1280, height: 2400 });
  await page.goto('/catalog');
  await settled(page);
  for (const [level, words] of [
    ['error', 'has errors'],
    ['warning', 'has warnings'],
  ] as const) {
    const marked = page.locator('main tbody').getByRole('link', { name: new RegExp(`${words}$`) });
    const there = await levelled(level);
    expect(there.length).toBeGreaterThan(0);
    await expect(marked).toHaveCount(there.length);
    const hrefs = await marked.evaluateAll((all) => all.map((a) => a.getAttribute('href')));
    expect(hrefs.sort()).toEqual(there.map((at) => `${at}/problems`));
  }
  const frame = page.locator('main table').locator('..');
  expect(
    await frame.evaluate((e) => e.scrollWidth - e.clientWidth),
    'the usual columns fit at 1280 px',
  ).toBeLessThanOrEqual(0);
  await page
    .getByRole('link', { name: /has errors$/ })
    .first()
    .click();
  await settled(page);
  await expect(page.getByRole('region', { name: 'Open', exact: true })).toContainText('Error');
});

test('a graph is seen whole at first', async ({ page }) => {
  for (const width of [1280, 1600]) {
    await page.setViewportSize({ width, height: 900 });
    for (const more of ['', '?depth=1', '?direction=out']) {
      await page.goto(`/catalog/default/component/checkout-api/dependencies${more}`);
      await settled(page);
      const nodes = page.locator('.react-flow__node');
      await expect(nodes.first()).toBeVisible();
      const frame = await page.locator('.react-flow').boundingBox();
      if (!frame) throw new Error('there is no graph');
      await expect
        .poll(async () => {
          const boxes = await nodes.evaluateAll((all) => all.map((n) => n.getBoundingClientRect().toJSON()));
          return boxes.filter(
            (b) =>
              b.left < frame.x ||
              b.right > frame.x + frame.width ||
              b.top < frame.y ||
              b.bottom > frame.y + frame.height,
          ).length;
        }, `nodes beyond the frame at ${width} px ${more}`)
        .toBe(0);
    }
  }
});

test('the server says which it is', async ({ page, sample }) => {
  const server = await ask<{ version: string; totalSize: number }>(`${sample.url}/v1/server`);
  await page.goto('/plugins');
  const line = page.getByRole('region', { name: 'This server' });
  await expect(line).toContainText(`Waypost ${server.version}`);
  await expect(line).toContainText(`${server.totalSize} entities`);
});

test('what changes on the server changes on the screen', async ({ page }) => {
  const clones = new Clones();
  const file = (title: string) =>
    `apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: web, title: ${title}}\nspec: {type: service, lifecycle: production, owner: nobody}\n`;
  clones.commit('web', { 'catalog-info.yaml': file('Before') });
  const server = await serve(['--dir', clones.path]);
  try {
    await page.goto(`${server.url}/catalog/default/component/web`);
    await expect(page.getByRole('heading', { level: 1 })).toContainText('Before');
    await expect(page.getByText('Live', { exact: true })).toBeVisible();
    const before = await page.getByRole('heading', { level: 1 }).boundingBox();
    clones.commit('web', { 'catalog-info.yaml': file('After') });
    await harvest(server.url);
    await expect(page.getByRole('heading', { level: 1 })).toContainText('After');
    expect((await page.getByRole('heading', { level: 1 }).boundingBox())?.y, 'the layout did not jump').toBe(before?.y);

    const list = await page.context().newPage();
    await list.goto(`${server.url}/catalog`);
    await settled(list);
    clones.commit('new', { 'catalog-info.yaml': file('Newcomer').replace('name: web', 'name: newcomer') });
    await harvest(server.url);
    await expect(list.getByRole('link', { name: /Newcomer/ }).first()).toBeVisible();
  } finally {
    await server.stop();
    clones.remove();
  }
});

test.describe('offline', () => {
  test.use({ mayBeSaid: /ERR_INTERNET_DISCONNECTED|preload CSS|dynamically imported/ });
  test('the server going away is told, and its coming back mends it', async ({ page, context }) => {
    await page.goto('/catalog/default/component/checkout');
    await settled(page);
    await expect(page.getByText('Live', { exact: true })).toBeVisible();
    await context.setOffline(true);
    await page.getByRole('link', { name: 'Plugins' }).click();
    await expect(page.getByText('The server cannot be reached')).toBeVisible({ timeout: 15_000 });
    await context.setOffline(false);
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(page.getByRole('link', { name: 'ownership', exact: true })).toBeVisible();
  });
});

test('the main path works with the keyboard alone', async ({ page }) => {
  await page.goto('/');
  await settled(page);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('dialog').getByRole('combobox')).toBeFocused();
  await page.keyboard.type('order-saga', { delay: 10 });
  await expect(
    page
      .getByRole('dialog')
      .getByRole('option', { name: /Order saga/ })
      .first(),
  ).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/catalog\/default\/component\/order-saga/);
  await settled(page);
  // To the tabs, and along them.
  const tab = page
    .getByRole('tab', { name: 'Dependencies' })
    .or(page.getByRole('link', { name: 'Dependencies' }))
    .first();
  await tab.focus();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/order-saga\/dependencies/);
});

test('old bookmarks of a Backstage lead to the entity', async ({ page }) => {
  await page.goto('/catalog/default/Component/Checkout');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Checkout');
});

test('an entity that never was suggests others', async ({ page }) => {
  await page.goto('/catalog/default/component/checkot');
  await expect(
    page
      .locator('main')
      .getByText(/checkout/i)
      .first(),
  ).toBeVisible();
});

test.describe('the real catalogs of openedx', () => {
  test.skip(!hasCorpus && !process.env.WAYPOST_REQUIRE_ALL, 'NOT RUN: the real catalogs are not at hand');
  test('are browsed, filtered and searched', async ({ page }) => {
    test.skip(!hasCorpus, 'NOT RUN: the real catalogs are not part of this repository and are not beside it');
    test.slow();
    const server = await serve(['--dir', `${corpus}/openedx`]);
    try {
      await page.goto(`${server.url}/catalog`);
      await settled(page);
      const { totalSize } = await ask<{ totalSize: number }>(
        `${server.url}/v1/entities?filter=${encodeURIComponent('entity.kind == "Component"')}&pageSize=1`,
      );
      expect(totalSize).toBeGreaterThan(40);
      const counted = totalSize.toLocaleString('en');
      await expect(page.getByRole('status').filter({ hasText: 'result' })).toHaveText(`${counted} results`);
      const kinds = page.getByRole('navigation', { name: 'Kinds' });
      await expect(kinds.locator('[aria-current]')).toHaveText(`Components${counted}`);
      const name = 'frontend-app-profile';
      const file = readFileSync(join(corpus, 'openedx', name, 'catalog-info.yaml'), 'utf8');
      const owner = /^ {2}owner: *'?([^'\s]+)/m.exec(file)?.[1] ?? 'the file says none';
      await page.getByRole('textbox', { name: 'Search in Components' }).fill(name);
      await page.getByRole('link', { name, exact: true }).click();
      await expect(page).toHaveURL(new RegExp(`/catalog/default/component/${name}$`));
      await settled(page);
      await expect(page.getByRole('heading', { level: 1 })).toContainText(name);
      await expect(page.locator('main header dl > div').filter({ hasText: /^Owner/ })).toContainText(owner);
      await page.goto(`${server.url}/problems`);
      await settled(page);
      await page.goto(`${server.url}/teams`);
      await settled(page);
    } finally {
      await server.stop();
    }
  });
});
