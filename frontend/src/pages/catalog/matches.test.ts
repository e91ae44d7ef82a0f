import { expect, it } from 'vitest';
import { splitHighlights } from '~/entity/highlight';
import { excerpt, rangesOf, whyMatched } from './matches';

it('explains by what is not shown', () => {
  const title = { field: 'metadata.title', text: 'Payments', ranges: [{ end: 3 }] };
  const about = { field: 'metadata.description', text: 'takes pay', ranges: [{ start: 6, end: 9 }] };
  expect(whyMatched([title], 'Payments')).toBeUndefined();
  expect(whyMatched([about, title], 'Payments')).toMatchObject({ field: 'metadata.description', text: 'takes pay' });
  expect(rangesOf([about, title], 'Payments')).toEqual([{ end: 3 }]);
  expect(rangesOf([about], 'Payments')).toBeUndefined();
});

it('cuts long texts before the match and not within characters', () => {
  const text = `${'ü'.repeat(60)} pay`;
  const cut = excerpt(text, [{ start: 121, end: 124 }]);
  expect(cut.text.startsWith('…ü')).toBe(true);
  expect(splitHighlights(cut.text, cut.ranges).filter((p) => p.hit)).toEqual([{ text: 'pay', hit: true }]);
  expect(excerpt('short pay', [{ start: 6, end: 9 }]).text).toBe('short pay');
});
