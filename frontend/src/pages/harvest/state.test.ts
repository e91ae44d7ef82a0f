import { expect, test } from 'vitest';
import { changes, harvestState, left, progress, took } from './state';

test('every state has a word of its own', () => {
  const states = ['STATE_RUNNING', 'STATE_SUCCEEDED', 'STATE_FAILED', 'STATE_INTERRUPTED', 'STATE_HELD'] as const;
  const words = states.map((state) => harvestState({ state }).words);
  expect(new Set(words).size).toBe(states.length);
  expect(harvestState(undefined).words).toBe('Not yet');
});

test('changes are told as a diff is', () => {
  expect(changes({ entitiesAdded: 12, entitiesChanged: 3, entitiesRemoved: 1 })).toBe('+12 ~3 −1');
  expect(changes({ entitiesChanged: 3 })).toBe('~3');
  expect(changes({})).toBe('no change');
});

test('time and what is left of it', () => {
  const h = {
    state: 'STATE_RUNNING' as const,
    startTime: '2026-01-01T00:00:00Z',
    repositoriesExpected: 100,
    repositoriesSeen: 25,
  };
  const now = Date.parse('2026-01-01T00:00:10Z');
  expect(took(h, now)).toBe(10_000);
  expect(progress(h)).toBe(25);
  expect(left(h, now)).toBe(30_000);
  expect(left({ ...h, repositoriesSeen: 0 }, now)).toBeUndefined();
  expect(left({ ...h, state: 'STATE_SUCCEEDED' }, now)).toBeUndefined();
  expect(progress({})).toBeUndefined();
  expect(took({ ...h, endTime: '2026-01-01T00:00:02Z' }, now)).toBe(2000);
});
