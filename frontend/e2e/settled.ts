import type { Page } from '@playwright/test';

/**
 * Waits until the page has asked for all that it shows, and shows it: for a while,
 * for between the code of a tab and its data there is a moment with nothing to wait for.
 */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  await page.waitForFunction(() => {
    const at = window as Window & { still?: number };
    const still =
      document.querySelector(
        '[aria-label$="are loading"], .mantine-Skeleton-root, [data-pending], [aria-busy="true"]',
      ) === null &&
      !document.querySelector('main')?.textContent?.includes('Laying out') &&
      document.fonts.status === 'loaded';
    if (!still) at.still = undefined;
    else at.still ??= performance.now();
    return at.still !== undefined && performance.now() - at.still > 300;
  });
}
