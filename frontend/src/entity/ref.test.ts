import { describe, expect, test } from 'vitest';
import { formatRef, parseRef, refOf, shortRef } from './ref';

describe('refs', () => {
  test.each([
    ['component:default/web', { kind: 'component', namespace: 'default', name: 'web' }],
    ['Component:Shop/Web', { kind: 'component', namespace: 'shop', name: 'web' }],
    ['group:payments', { kind: 'group', namespace: 'default', name: 'payments' }],
  ])('%s is read', (text, want) => {
    expect(parseRef(text)).toEqual(want);
  });

  test('what is missing comes from where it stands', () => {
    expect(parseRef('payments', { kind: 'group', namespace: 'shop' })).toEqual({
      kind: 'group',
      namespace: 'shop',
      name: 'payments',
    });
  });

  test.each(['', 'payments', 'a:b:c', 'a/b/c', 'component:', ':x', 'component:default/'])('%j is no ref', (text) => {
    expect(parseRef(text)).toBeUndefined();
  });

  test('round trip', () => {
    for (const text of ['component:default/web', 'api:shop/orders.v1']) {
      const ref = parseRef(text);
      expect(ref && formatRef(ref)).toBe(text);
    }
  });

  test('short forms leave out what goes without saying', () => {
    expect(shortRef({ kind: 'group', namespace: 'default', name: 'payments' })).toBe('payments');
    expect(shortRef({ kind: 'group', namespace: 'eu', name: 'payments' })).toBe('eu/payments');
    expect(shortRef({ kind: 'group', namespace: 'eu', name: 'payments' }, true)).toBe('group:eu/payments');
  });

  test('of an entity', () => {
    expect(refOf({ name: 'entities/component:default/web' }).name).toBe('web');
    expect(refOf({}).kind).toBe('unknown');
  });
});
