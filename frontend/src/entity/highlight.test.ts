import { expect, test } from 'vitest';
import { splitHighlights } from './highlight';

const marked = (text: string, ...ranges: [number, number][]) =>
  splitHighlights(
    text,
    ranges.map(([start, end]) => ({ start, end })),
  )
    .map((p) => (p.hit ? `[${p.text}]` : p.text))
    .join('');

test.each<[string, [number, number][], string]>([
  ['checkout', [[0, 5]], '[check]out'],
  ['checkout', [], 'checkout'],
  ['', [[0, 3]], ''],
  [
    'pay and pay',
    [
      [0, 3],
      [8, 11],
    ],
    '[pay] and [pay]',
  ],
  [
    'pay and pay',
    [
      [8, 11],
      [0, 3],
    ],
    '[pay] and [pay]',
  ],
  [
    'abcdef',
    [
      [0, 3],
      [2, 4],
    ],
    '[abcd]ef',
  ],
  [
    'abcdef',
    [
      [0, 6],
      [1, 2],
    ],
    '[abcdef]',
  ],
  [
    'abcdef',
    [
      [0, 2],
      [2, 4],
    ],
    '[abcd]ef',
  ],
  ['abc', [[1, 99]], 'a[bc]'],
  ['abc', [[7, 9]], 'abc'],
  ['abc', [[2, 1]], 'abc'],
])('%j with %j is %j', (text, ranges, want) => {
  expect(marked(text, ...ranges)).toBe(want);
});

test('ranges count bytes: umlauts take two, signs three, emoji four', () => {
  expect(marked('Größe prüfen', [8, 15])).toBe('Größe [prüfen]');
  expect(marked('€ rates', [4, 9])).toBe('€ [rates]');
  expect(marked('🚀 launch', [5, 11])).toBe('🚀 [launch]');
  expect(marked('a🚀b', [1, 5])).toBe('a[🚀]b');
});

test('a range within a character takes the whole of it', () => {
  expect(marked('a🚀b', [2, 3])).toBe('a[🚀]b');
  expect(marked('ü', [1, 2])).toBe('[ü]');
});

test('absent numbers are 0, as the API leaves them out', () => {
  expect(splitHighlights('payments', [{ end: 3 }])).toEqual([
    { text: 'pay', hit: true },
    { text: 'ments', hit: false },
  ]);
  expect(splitHighlights('payments', undefined)).toEqual([{ text: 'payments', hit: false }]);
});

test('nothing of the text is lost, whatever the ranges', () => {
  const text = 'Süße 🍓 jam – €5';
  for (let start = -1; start < 30; start++)
    for (let end = -1; end < 30; end++)
      expect(
        splitHighlights(text, [
          { start, end },
          { start: end, end: start },
        ])
          .map((p) => p.text)
          .join(''),
      ).toBe(text);
});
