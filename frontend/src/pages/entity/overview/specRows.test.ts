import { expect, test } from 'vitest';
import type { Entity } from '~/api/client';
import { specRows } from './specRows';

test('custom fields are shown, in words, if they are short', () => {
  const spec = { owner: 'a', trainedOn: '2026', runs: 3, steps: [{ id: 1 }], on: ['x', 'y'], long: 'x'.repeat(500) };
  expect(specRows({ spec } as unknown as Entity)).toEqual([
    ['Trained on', '2026'],
    ['Runs', 3],
    ['On', ['x', 'y']],
  ]);
  expect(specRows({ spec: null } as unknown as Entity)).toEqual([]);
});
