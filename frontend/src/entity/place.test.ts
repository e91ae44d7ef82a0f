import { expect, test } from 'vitest';
import { placeOf } from './place';

test('a line on GitHub has an address', () => {
  expect(placeOf({ source: 'github:acme', repository: 'acme/shop', path: 'a b/c#.yaml', line: 3 })).toEqual({
    text: 'acme/shop/a b/c#.yaml:3',
    href: 'https://github.com/acme/shop/blob/HEAD/a%20b/c%23.yaml#L3',
  });
  expect(placeOf({ source: 'github:acme', repository: 'acme/shop', path: 'CODEOWNERS', line: 0 }).href).toBe(
    'https://github.com/acme/shop/blob/HEAD/CODEOWNERS',
  );
});

test('elsewhere it is said only', () => {
  expect(placeOf({ source: 'dir:src', repository: 'src/shop', path: 'x.yaml', line: 2 })).toEqual({
    text: 'src/shop/x.yaml:2',
  });
  expect(placeOf({ source: 'github:acme', repository: '../evil?x', path: 'x' }).href).toBeUndefined();
  expect(placeOf({ source: 'ldap' })).toEqual({ text: 'ldap' });
  expect(placeOf({})).toEqual({ text: '' });
});
