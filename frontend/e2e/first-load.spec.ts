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
    expect(late.filter((name) => !/Markdown|Outside/.test(name))).toEqual([]);
  });
