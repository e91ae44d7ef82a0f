import { expect, test } from 'vitest';
import { fieldWords, shorten, whyMatched } from './why';

const h = (field: string, text: string) => ({ field, text, ranges: [{ end: 3 }] });

test('what is shown anyway is no reason', () => {
  const { inTitle, description, others } = whyMatched(
    [
      h('metadata.name', 'payments-api'),
      h('metadata.title', 'Payments API'),
      h('metadata.description', 'pays'),
      h('spec.owner', 'payments'),
    ],
    'Payments API',
  );
  expect(inTitle?.field).toBe('metadata.title');
  expect(description?.text).toBe('pays');
  expect(others.map((o) => o.field)).toEqual(['spec.owner']);
});

test('a name that differs from the title is', () => {
  expect(whyMatched([h('metadata.name', 'pay')], 'Money').others.map((o) => o.field)).toEqual(['metadata.name']);
  expect(whyMatched([h('metadata.name', 'pay')], 'pay').others).toEqual([]);
});

test('few reasons are enough', () => {
  const many = Array.from({ length: 9 }, (_, i) => h('metadata.tags', `t${i}`));
  expect(whyMatched(many, 'x').others).toHaveLength(3);
});

const text = (pieces: { text: string }[]) => pieces.map((p) => p.text).join('');

test('a long text is shown around its first hit', () => {
  const got = shorten(
    [
      { text: 'a'.repeat(200), hit: false },
      { text: 'HIT', hit: true },
      { text: 'b'.repeat(200), hit: false },
    ],
    60,
  );
  expect(text(got)).toBe(`…${'a'.repeat(20)}HIT${'b'.repeat(37)}…`);
  expect(got.some((p) => p.hit && p.text === 'HIT')).toBe(true);
});

test('short ones and ends stay whole, and so do characters', () => {
  const short = [{ text: 'short', hit: false }];
  expect(shorten(short, 60)).toEqual(short);
  expect(
    text(
      shorten(
        [
          { text: 'a'.repeat(90), hit: false },
          { text: 'HIT', hit: true },
        ],
        60,
      ),
    ),
  ).toBe(`…${'a'.repeat(57)}HIT`);
  for (let n = 1; n < 40; n++) {
    const got = text(
      shorten(
        [
          { text: '🚀'.repeat(20), hit: false },
          { text: '🍓', hit: true },
        ],
        n,
      ),
    );
    expect(encodeURIComponent(got)).toContain('%F0'); // throws at half of a character
  }
});

test.each([
  ['spec.owner', 'owner'],
  ['spec.providesApis', 'provides apis'],
  ['metadata.tags', 'tags'],
  ['', ''],
])('field %j is %j', (field, words) => {
  expect(fieldWords(field)).toBe(words);
});
