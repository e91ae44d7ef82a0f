import { chromium, type Page } from '@playwright/test';
import lighthouse, { desktopConfig } from 'lighthouse';
import { findBrowser } from './browser';
import { commitMany } from './many';
import { settled } from './settled';
import { ask, Clones, expect, serve, test, type Waypost } from './waypost';

// Figures for BENCHMARKS.md, on request: `make bench-portal`. Speed is told here, not asserted.

const many = Number(process.env.WAYPOST_MANY ?? 15_500);

/** Figures in milliseconds. */
function tell(what: string, times: number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
  console.log(
    `${what}: ${times.length} times, median ${at(0.5)} ms, 95th ${at(0.95)} ms, worst ${at(1)} ms; first ${Math.round(times[0] ?? 0)} ms`,
  );
}

type Watching = Window & { took?: Promise<number> };

/**
 * Starts to watch in the page: from the next event of this type, as the browser
 * stamped it, until what is looked for has been painted.
 */
async function watch(page: Page, event: 'keydown' | 'click', selector: string, text: string): Promise<void> {
  await page.evaluate(
    ([event, selector, text]) => {
      (window as Watching).took = new Promise((done) => {
        addEventListener(
          event,
          (e) => {
            const look = () => {
              const found = document.querySelector(selector);
              if (!found?.textContent?.toLowerCase().startsWith(text)) return void requestAnimationFrame(look);
              // What was found in a frame is painted before the next task.
              const { port1, port2 } = new MessageChannel();
              port1.onmessage = () => done(performance.now() - e.timeStamp);
              port2.postMessage(undefined);
            };
            requestAnimationFrame(look);
          },
          { once: true, capture: true },
        );
      });
    },
    [event, selector, text.toLowerCase()] as const,
  );
}

const watched = (page: Page) => page.evaluate(() => (window as Watching).took as Promise<number>);

test.describe(`with ${many.toLocaleString('en')} entities`, () => {
  test.describe.configure({ mode: 'serial', timeout: 900_000 });
  let clones: Clones;
  let server: Waypost;
  test.beforeAll(async () => {
    test.setTimeout(900_000);
    clones = new Clones();
    commitMany(clones, many);
    server = await serve(['--dir', clones.path]);
    // Plugins say what they know of each after the first harvest, which the pages would follow.
    const revision = async () => (await ask<{ revision: string }>(`${server.url}/v1/server`)).revision;
    for (let before = '', now = await revision(); before !== now; now = await revision()) {
      before = now;
      await new Promise((rested) => setTimeout(rested, 10_000));
    }
  });
  test.afterAll(async () => {
    await server?.stop();
    clones?.remove();
  });

  test('from key press to results', async ({ page }) => {
    await page.goto(`${server.url}/catalog`);
    await page.locator('tbody a[data-entity]').first().waitFor();
    const box = page.getByRole('textbox', { name: /^Search in/ });
    const times: number[] = [];
    const firsts: number[] = [];
    for (const word of ['payment', 'gateway', 'refund', 'ledger', 'invoice', 'archive']) {
      await box.fill('');
      await page.locator('tbody mark').first().waitFor({ state: 'detached' });
      await box.focus();
      for (let n = 1; n <= word.length; n++) {
        // Results are there when the words typed are marked in the list, all of them.
        await watch(page, 'keydown', 'table[aria-busy="false"] tbody mark', word.slice(0, n));
        await page.keyboard.press(word[n - 1] as string);
        (n === 1 ? firsts : times).push(await watched(page));
        await page.waitForTimeout(150); // between the letters of somebody who types fast
      }
    }
    tell('key press to results in the catalog', times);
    tell('the first letter, with which all rows are others', firsts);
  });

  test('from click to entity', async ({ page }) => {
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      await page.goto(`${server.url}/catalog`);
      await settled(page);
      // Not the last rows: a click must not need to scroll.
      const link = page.locator('tbody a[data-entity]').nth(i % 12);
      const name = (await link.textContent()) ?? '';
      expect(name).not.toBe('');
      await link.hover();
      await page.waitForTimeout(200); // to aim; what a link leads to is loaded meanwhile
      // Content is the entity's own title, the facts below it and the panels: not the skeleton, which has a name too.
      await watch(page, 'click', 'main:has(header dl):has(section h2) h1', name);
      await link.click();
      times.push(await watched(page));
      await expect(
        page.getByRole('tab', { name: 'Overview' }).or(page.getByRole('link', { name: 'Overview' })),
      ).toBeVisible();
    }
    tell('click to the page of an entity', times);
  });

  test('scrolling through all of it', async ({ page }) => {
    await page.goto(`${server.url}/catalog?kind=all`);
    await page.locator('tbody a[data-entity]').first().waitFor();
    const frames = await page.evaluate(async () => {
      const out: number[] = [];
      let before = performance.now();
      for (let i = 0; i < 240; i++) {
        window.scrollBy(0, i < 120 ? 400 : document.body.scrollHeight / 150);
        await new Promise((next) => requestAnimationFrame(next));
        const now = performance.now();
        out.push(now - before);
        before = now;
      }
      return out;
    });
    tell('a frame while scrolling', frames);
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await expect(page.locator('tbody tr[data-index] a[data-entity]').last()).toBeVisible();
    const last = Number(await page.locator('table').getAttribute('aria-rowcount')) - 2;
    expect(Number(await page.locator('tbody tr[data-index]').last().getAttribute('data-index'))).toBe(last);

    // The scroll bar dragged to somewhere: until the rows that belong there are painted, and they must be those.
    const jumps: number[] = [];
    for (const part of [0.5, 0.07, 0.93, 0.31, 0.68, 0.01, 0.84, 0.22]) {
      jumps.push(
        await page.evaluate(async (part) => {
          const since = performance.now();
          window.scrollTo(0, part * document.body.scrollHeight);
          // Two frames for the place to be known, and then no row without a name.
          for (let frame = 0; ; frame++) {
            await new Promise((next) => requestAnimationFrame(next));
            const rows = [...document.querySelectorAll('tbody tr[aria-rowindex]')];
            if (frame > 1 && rows.length > 10 && rows.every((r) => r.querySelector('a[data-entity]'))) break;
          }
          return performance.now() - since;
        }, part),
      );
      const row = page.locator('tbody tr[data-index]').nth(8);
      const index = Number(await row.getAttribute('data-index'));
      expect(Math.abs(index / last - part)).toBeLessThan(0.02);
      type Page = { entities: { name: string }[] };
      const there = await ask<Page>(`${server.url}/v1/entities?pageSize=1&skip=${index}&readMask=name`);
      const [kind, namespace, name] = there.entities[0]?.name.split(/[:/]/).slice(1) ?? [];
      expect(await row.locator('a[data-entity]').getAttribute('href')).toBe(`/catalog/${namespace}/${kind}/${name}`);
    }
    tell('the scroll bar dragged to somewhere, until its rows are there', jumps);
  });
});

/** Home, Catalog and Entity of the sample organisation, by Lighthouse; what is no matter of speed must be without fault. */
test('Lighthouse', async ({ sample }) => {
  test.setTimeout(600_000);
  const port = 9333;
  const browser = await chromium.launch({
    executablePath: findBrowser(),
    args: ['--no-sandbox', `--remote-debugging-port=${port}`],
  });
  const onlyCategories = ['performance', 'accessibility', 'best-practices'];
  try {
    for (const form of ['desktop', 'mobile'])
      for (const path of ['/', '/catalog', '/catalog/default/component/checkout']) {
        const flags = { port, onlyCategories, logLevel: 'error' } as const;
        const result = await lighthouse(sample.url + path, flags, form === 'desktop' ? desktopConfig : undefined);
        const score = (id: string) => Math.round((result?.lhr.categories[id]?.score ?? 0) * 100);
        const shown = (id: string) => `${id} ${result?.lhr.audits[id]?.displayValue}`;
        console.log(
          `${form} ${path}: ${onlyCategories.map((c) => `${c} ${score(c)}`).join(', ')}; ` +
            ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'cumulative-layout-shift']
              .map(shown)
              .join(', '),
        );
        expect.soft(score('accessibility'), `${form} ${path}`).toBe(100);
        expect.soft(score('best-practices'), `${form} ${path}`).toBe(100);
      }
  } finally {
    await browser.close();
  }
});
