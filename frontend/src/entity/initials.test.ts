import { expect, test } from 'vitest';
import { initials, tintOf } from './initials';

test.each([
  ['Amara Okafor', 'AO'],
  ['lena-fischer', 'LF'],
  ['Jean Luc van der Berg', 'JB'],
  ['ünal', 'Ü'],
  ['𝒜da 🚀', '𝒜'],
  ['', '?'],
  ['  --  ', '?'],
])('%j is %j', (name, want) => {
  expect(initials(name)).toBe(want);
});

test('a tint is of its text', () => {
  expect(tintOf('user:default/a', 5)).toBe(tintOf('user:default/a', 5));
  for (const t of ['', 'a', 'Größe', '🚀'.repeat(100)]) expect(tintOf(t, 5)).toBeLessThan(5);
});
