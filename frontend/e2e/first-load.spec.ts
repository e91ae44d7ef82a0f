import { expect, test } from './waypost';

// What a first visit costs, in bytes and in rounds; how fast it is belongs to measure.ts.

for (const path of ['/', '/catalog', '/catalog/default/component/checkout'])
  test(`the first load of ${path} is small, and its page names what it needs`, async ({ page, sample }) => {
    const html = await (await fetch(sample.url + path, { headers: { accept: 'text/html' } })).text();
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Network.enable');
    const asked = new Map<string, string>();
    const bytes = new Map<string, number>();
    devtools.on('Network.responseReceived', (e) => asked.set(e.requestId, new URL(e.response.url).pathname));
    devtools.on('Network.loadingFinished', (e) => bytes.set(asked.get(e.requestId) ?? '', e.encodedDataLength));
    await page.goto(path, { waitUntil: 'networkidle' }).catch(() => undefined); // the watch of changes never ends
    await expect(page.locator('main h1')).toBeVisible();

    const files = [...bytes].filter(([name]) => name.startsWith('/assets/'));
    expect(files.length).toBeGreaterThan(5);
    expect(files.some(([name]) => name.endsWith('.woff2'))).toBe(true);
    // The page, its scripts, styles and font; a README in sight brings the library that draws it.
    expect([...bytes].filter(([name]) => !name.startsWith('/v1/')).reduce((n, [, b]) => n + b, 0)).toBeLessThan(
      250_000,
    );
    const late = files.map(([name]) => name).filter((name) => /\.(js|css)$/.test(name) && !html.includes(name));
    expect(late.filter((name) => !/Markdown|Outside|parts/.test(name))).toEqual([]);
  });

test('what comes later is there when it is wanted: a menu, a tooltip, the filters of a narrow window', async ({
  page,
}) => {
  await page.goto('/catalog');
  const columns = page.getByRole('button', { name: 'Columns' });
  await columns.click();
  await page.getByRole('menuitemcheckbox', { name: 'Description' }).click();
  await expect(page.getByRole('columnheader', { name: 'Description' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(columns).toBeFocused();
  await columns.press('Enter');
  await expect(page.getByRole('menuitemcheckbox', { name: 'Description' })).toHaveAttribute('aria-checked', 'true');
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: /^Colours/ }).hover();
  await expect(page.getByRole('tooltip')).toHaveText(/^Colours: /);

  await page.setViewportSize({ width: 800, height: 900 });
  await page.getByRole('button', { name: 'Filters' }).click();
  const drawer = page.getByRole('dialog', { name: 'Filters' });
  await drawer.getByRole('checkbox', { name: /library/ }).check();
  await drawer.getByRole('button', { name: /^Show \d+ results/ }).click();
  await expect(drawer).toBeHidden();
  await expect(page).toHaveURL(/facets=/);
});

test('a head asks for an order, for the other one, and for none', async ({ page }) => {
  await page.goto('/catalog');
  const order = () => new URL(page.url()).searchParams.get('sort');
  const head = (name: string) => page.getByRole('columnheader', { name });
  for (const want of ['spec.type', 'spec.type desc', null]) {
    await head('Type').getByRole('button').click();
    await expect.poll(order).toBe(want);
  }
  for (const [want, said] of [
    ['revision desc', 'descending'],
    ['revision', 'ascending'],
  ] as const) {
    await head('Updated').getByRole('button').click();
    await expect.poll(order).toBe(want);
    await expect(head('Updated')).toHaveAttribute('aria-sort', said);
  }
});
