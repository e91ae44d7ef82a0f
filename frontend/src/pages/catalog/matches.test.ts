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

it('cuts texts before the word of the match, by bytes', () => {
  const cut = excerpt(`${'ü'.repeat(60)} prepay`, [{ start: 124, end: 127 }]);
  expect(cut.text).toBe('…prepay');
  expect(splitHighlights(cut.text, cut.ranges).filter((p) => p.hit)).toEqual([{ text: 'pay', hit: true }]);
  expect(excerpt('group:default/pay', [{ start: 14, end: 17 }]).text).toBe('…pay');
  expect(excerpt('short pay', [{ start: 6, end: 9 }]).text).toBe('short pay');
  const one = 'x'.repeat(40);
  expect(excerpt(one, [{ start: 20, end: 30 }]).text).toBe(one);
});
