import { expect, test } from './waypost';

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
