import { expect, test } from 'vitest';
import { fixDiff, placeOf } from './fix';

test('a place is told as precisely as it is known', () => {
  expect(placeOf({ repository: 'acme/web', path: 'a.yaml', line: 3, column: 9 })).toBe('acme/web/a.yaml:3:9');
  expect(placeOf({ repository: 'acme/web', path: 'a.yaml', line: 0, column: 0 })).toBe('acme/web/a.yaml');
  expect(placeOf({ repository: 'acme/web', line: 3 })).toBe('acme/web');
});

test('a fix is a small diff', () => {
  expect(fixDiff({ fix: { found: '  name: gift cards', replacement: '  name: gift-cards' } })).toBe(
    '-  name: gift cards\n+  name: gift-cards',
  );
  expect(fixDiff({ field: 'spec.owner', fix: { replacement: 'payments' } })).toBe('+owner: payments');
  expect(fixDiff({})).toBe('');
});
