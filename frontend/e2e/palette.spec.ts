import AxeBuilder from '@axe-core/playwright';
import { expect, test } from './waypost';

test('the palette goes by keys alone, and tells where it is', async ({ page }) => {
  await page.goto('/catalog');
  await page.locator('tbody a[data-entity]').first().waitFor();
  await page.keyboard.press('/');
  const field = page.getByRole('dialog').getByRole('combobox');
  await field.fill('order');
  const options = page.getByRole('dialog').getByRole('option');
  await expect(options.filter({ hasText: 'See all results' })).toBeVisible();
  const selected = page.getByRole('dialog').getByRole('option', { selected: true });
  const told = async () =>
    expect(await field.getAttribute('aria-activedescendant')).toBe(await selected.getAttribute('id'));
  await expect(options.first()).toHaveAttribute('aria-selected', 'true');
  await told();
  await page.keyboard.press('ArrowDown');
  await expect(options.nth(1)).toHaveAttribute('aria-selected', 'true');
  await told();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp'); // round to the end
  await expect(selected).toContainText('See all results');
  await told();
  expect((await new AxeBuilder({ page }).analyze()).violations.map((v) => `${v.id}: ${v.nodes[0]?.html}`)).toEqual([]);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/search\?q=order/);
});

test('Enter waits for the answer to what was typed last', async ({ page }) => {
  await page.goto('/catalog');
  await page.locator('tbody a[data-entity]').first().waitFor();
  await page.keyboard.press('/');
  const field = page.getByRole('dialog').getByRole('combobox');
  await field.fill('cat'); // the page called so would be the best, if nothing else was typed
  await expect(page.getByRole('option', { selected: true })).toContainText('Catalog');
  await page.route('**/v1/entities:search?*', async (route) => {
    await new Promise((later) => setTimeout(later, 400));
    await route.continue();
  });
  await field.fill('loyalty');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/catalog\/default\/component\/loyalty/);
});
