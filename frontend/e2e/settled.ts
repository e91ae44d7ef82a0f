import type { Page } from '@playwright/test';

/** Waits until the page has asked for all that it shows, and shows it. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  await page.waitForFunction(
    () =>
      document.querySelector('[aria-label$="are loading"], .mantine-Skeleton-root, [data-pending]') === null &&
      !document.querySelector('main')?.textContent?.includes('Laying out') &&
      document.fonts.status === 'loaded',
  );
}
