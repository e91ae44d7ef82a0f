import { expect, test } from 'vitest';
import { buildForest, treeRows } from '~/entity/groupTree';
import { step } from './step';

const group = (name: string, ...parents: string[]) => ({ ref: name, title: name, type: '', description: '', parents });
const forest = buildForest([group('a'), group('b', 'a'), group('c', 'b'), group('d')]);
const rows = treeRows(forest, () => true); // a b c d

test.each<[string, number, boolean, ReturnType<typeof step>]>([
  ['ArrowDown', 0, true, { to: 1 }],
  ['ArrowDown', 3, false, { to: 3 }],
  ['ArrowUp', 0, true, { to: 0 }],
  ['Home', 2, false, { to: 0 }],
  ['End', 0, true, { to: 3 }],
  ['PageDown', 0, true, { to: 3 }],
  ['ArrowRight', 0, false, { open: true }],
  ['ArrowRight', 0, true, { to: 1 }],
  ['ArrowRight', 2, false, undefined],
  ['ArrowLeft', 1, true, { open: false }],
  ['ArrowLeft', 1, false, { to: 0 }],
  ['ArrowLeft', 2, false, { to: 1 }],
  ['ArrowLeft', 3, false, undefined],
  ['x', 0, true, undefined],
  ['ArrowDown', 9, true, undefined],
])('%s on row %i, open: %j', (key, at, open, want) => {
  expect(step(key, rows, at, open)).toEqual(want);
});
