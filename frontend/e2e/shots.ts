import { join } from 'node:path';
import { pages } from './pages';
import { settled } from './settled';
import { test } from './waypost';

const folder = join(import.meta.dirname, '../../build/shots');
const looks = {
  light: { colorScheme: 'light', viewport: { width: 1440, height: 900 } },
  dark: { colorScheme: 'dark', viewport: { width: 1440, height: 900 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 } },
} as const;

for (const [look, use] of Object.entries(looks))
  test.describe(look, () => {
    test.use({ ...use, reducedMotion: 'reduce' });
    for (const [name, address] of pages)
      test(name, async ({ page }) => {
        await page.goto(address);
        await settled(page);
        await page.screenshot({ path: join(folder, `${name}-${look}.png`), fullPage: true });
      });
  });
