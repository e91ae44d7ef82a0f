import { expect, test } from 'vitest';
import type { EntityRevision } from '~/api/client';
import { causeWords, entriesOf, opWords, valueWords } from './words';

const rev = (revision: string, op: EntityRevision['op']): EntityRevision => ({ revision, op });

test('what only plugins said in a row is one entry', () => {
  const entries = entriesOf([
    rev('5', 'OP_FACTS'),
    rev('4', 'OP_FACTS'),
    rev('3', 'OP_CHANGED'),
    rev('2', 'OP_FACTS'),
    rev('1', 'OP_ADDED'),
  ]);
  expect(entries.map((e) => ('facts' in e ? e.facts.map((r) => r.revision) : e.revision.revision))).toEqual([
    ['5', '4'],
    '3',
    ['2'],
    '1',
  ]);
});

test('causes and deeds are told in words', () => {
  expect(causeWords({ via: 'harvest', harvest: '7', actor: 'bea' })).toBe('harvest 7 by bea');
  expect(causeWords({ via: 'plugin', actor: 'ownership' })).toBe('the plugin ownership');
  expect(causeWords(undefined)).toBe('');
  expect(opWords({ op: 'OP_CHANGED', renamedRef: 'component:default/old' })[0]).toBe('Renamed');
});

test('values are told in one line', () => {
  expect(valueWords(undefined)).toBeUndefined();
  expect(valueWords(false)).toBe('false');
  expect(valueWords(['a', 1])).toBe('["a",1]');
  expect(valueWords('x'.repeat(400))).toHaveLength(301);
});
