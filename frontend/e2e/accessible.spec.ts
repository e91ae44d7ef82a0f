import AxeBuilder from '@axe-core/playwright';
import { pages } from './pages';
import { settled } from './settled';
import { expect, test } from './waypost';

for (const scheme of ['light', 'dark'] as const)
  test.describe(`axe finds nothing in ${scheme}`, () => {
    test.use({ colorScheme: scheme, reducedMotion: 'reduce' });
    for (const [name, address] of pages)
      test(name, async ({ page }) => {
        await page.goto(address);
        await settled(page);
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(
          violations.map(
            (v) => `${v.id}: ${v.help}\n  ${v.nodes.map((n) => `${n.target}: ${n.failureSummary}`).join('\n  ')}`,
          ),
        ).toEqual([]);
      });
  });

// Reflow, WCAG 1.4.10: at 360 px nothing needs sideways scrolling but what scrolls by itself.
test.describe('nothing is wider than a phone', () => {
  test.use({ viewport: { width: 360, height: 740 } });
  for (const [name, address] of pages)
    test(name, async ({ page }) => {
      await page.goto(address);
      await settled(page);
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(wide).toBeLessThanOrEqual(0);
    });
});
