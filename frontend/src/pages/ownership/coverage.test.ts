import { expect, test } from 'vitest';
import { ownedPercent, percent, shares, sourceWords } from './coverage';

test('shares are in the order in which sources decide, without zeros', () => {
  const got = shares({ none: '1', declared: '2', codeowners: '1', override: '0', custom: '4' }, sourceWords);
  expect(got.map((s) => [s.name, s.count, s.percent])).toEqual([
    ['declared', 2, 25],
    ['codeowners', 1, 12.5],
    ['none', 1, 12.5],
    ['custom', 4, 50],
  ]);
  expect(shares(undefined, sourceWords)).toEqual([]);
});

test.each([
  [{ entities: '1000', owned: '999' }, '99 %'],
  [{ entities: '1000', owned: '1' }, '1 %'],
  [{ entities: '4', owned: '4' }, '100 %'],
  [{ entities: '4' }, '0 %'],
  [{}, '–'],
  [undefined, '–'],
])('%j is %s', (coverage, words) => expect(percent(ownedPercent(coverage))).toBe(words));
