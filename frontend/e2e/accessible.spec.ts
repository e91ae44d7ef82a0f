import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { pages } from './pages';
import { settled } from './settled';
import { expect, test } from './waypost';

test.use({ reducedMotion: 'reduce' });

// Each looks at a page four times, on a machine that may have other things to do.
test.setTimeout(60_000);

for (const [name, address] of pages)
  test(`${name}: axe finds nothing in light and dark, and it fits a phone`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: 'light' });
    await page.goto(address);
    await settled(page);
    expect(await violations(page), 'in light').toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark');
    expect(await violations(page), 'in dark').toEqual([]);
    // Reflow, WCAG 1.4.10: nothing needs sideways scrolling but what scrolls by itself.
    await page.setViewportSize({ width: 360, height: 740 });
    await expect
      .poll(() => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth))
      .toBeLessThanOrEqual(0);
  });

async function violations(page: Page): Promise<string[]> {
  const found = await new AxeBuilder({ page }).analyze();
  return found.violations.map(
    (v) => `${v.id}: ${v.help}\n  ${v.nodes.map((n) => `${n.target}: ${n.failureSummary}`).join('\n  ')}`,
  );
}
