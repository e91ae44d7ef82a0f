import { expect, test } from 'vitest';
import { allColumns, chosenColumns, columnWidths, systemOf } from './columns';

const usual = chosenColumns(allColumns('component', []), undefined);
const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

test('the usual columns fit beside the facets at 1280 px', () => {
  const { widths, least } = columnWidths(usual, 48.2);
  expect(least).toBeLessThanOrEqual(48.2);
  expect(48.2 - sum(widths)).toBeGreaterThanOrEqual(15);
});

test('where there is room all have their width, and no more', () => {
  expect(columnWidths(usual, 100).widths).toEqual(usual.map((c) => c.width));
});

test('where there is none, the least is told, for the table to scroll', () => {
  const { widths, least } = columnWidths(usual, 30);
  expect(least).toBe(15 + sum(widths));
});

test('without other columns the name is all there is', () => {
  expect(columnWidths([], 30)).toEqual({ widths: [], least: 15 });
});

const partOf = (targetRef: string) => ({ type: 'partOf', targetRef, targetExists: true });

test('a system is one, whatever else a component is part of', () => {
  const both = {
    kind: 'Component',
    relations: [partOf('component:default/checkout'), partOf('system:default/orders')],
  };
  expect(systemOf(both, false)).toEqual({ ref: 'system:default/orders', missing: false });
  const piece = { kind: 'Component', relations: [partOf('component:default/checkout')] };
  expect(systemOf(piece, false)).toBeUndefined();
  expect(systemOf(piece, true)?.ref).toBe('component:default/checkout');
  expect(systemOf({ kind: 'System', relations: [partOf('domain:default/shop')] }, false)?.ref).toBe(
    'domain:default/shop',
  );
});
