import { expect, test } from 'vitest';
import { every, pluginState, roleName } from './state';

test('states have words, and bad ones say what it means', () => {
  expect(pluginState({ state: 'STATE_OK' })).toEqual({ tone: 'good', words: 'Answers', why: '' });
  for (const state of ['STATE_FAILING', 'STATE_OPEN', 'STATE_DOWN'] as const)
    expect(pluginState({ state }).why).toContain('last good facts stay');
  expect(pluginState({}).words).toBe('Not yet');
});

test.each([
  ['3600s', 'every hour'],
  ['86400s', 'every day'],
  ['172800s', 'every 2 days'],
  ['300s', 'every 5 minutes'],
  ['90s', 'every 90 seconds'],
  ['0s', ''],
  ['x', ''],
  [undefined, ''],
])('%s is %j', (text, words) => expect(every(text)).toBe(words));

test('roles', () => expect(roleName('ROLE_ENRICH')).toBe('enrich'));
