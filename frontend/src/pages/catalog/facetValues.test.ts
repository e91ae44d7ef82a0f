import { expect, it } from 'vitest';
import { none } from '~/cel/write';
import type { FacetField } from './facets';
import { choicesOf, valueWords } from './facetValues';

const type: FacetField = { field: 'spec.type', title: 'Type', shape: 'text', noneWords: 'No type' };
const counted = {
  values: [
    { value: 'service', count: 5 },
    { value: 'job', count: 2 },
  ],
  more: 0,
  total: 10,
};

it('shows chosen ones first, and how many have none', () => {
  expect(choicesOf(type, counted, ['job', 'gone'])).toEqual([
    { value: 'job', words: 'job', count: 2, chosen: true },
    { value: 'gone', words: 'gone', count: 0, chosen: true },
    { value: 'service', words: 'service', count: 5, chosen: false },
    { value: none, words: 'No type', count: 3, chosen: false },
  ]);
});

it('does not guess how many have none of a list or of what was cut off', () => {
  const last = (f: FacetField, c: typeof counted) => choicesOf(f, c, []).at(-1)?.count;
  expect(last({ ...type, shape: 'list' }, counted)).toBeUndefined();
  expect(last(type, { ...counted, more: 4 })).toBeUndefined();
  expect(choicesOf(type, { ...counted, total: 7 }, []).some((c) => c.value === none)).toBe(false);
});

it('calls values what people do', () => {
  expect(valueWords({ ...type, refs: true }, 'group:default/pay')).toBe('pay');
  expect(valueWords({ ...type, refs: true }, 'not a ref: / at all/')).toBe('not a ref: / at all/');
  expect(valueWords({ ...type, words: { true: 'Yes' } }, 'true')).toBe('Yes');
});
