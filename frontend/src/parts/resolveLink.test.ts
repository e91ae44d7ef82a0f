import { expect, test } from 'vitest';
import { resolveLink } from './resolveLink';

test('relative links lead into the repository', () => {
  const base = 'https://github.com/acme/web/blob/main/docs/README.md';
  expect(resolveLink('../LICENSE', base)).toBe('https://github.com/acme/web/blob/main/LICENSE');
  expect(resolveLink('#user-content-setup', base)).toBe(`${base}#setup`);
  expect(resolveLink('https://x.example/', base)).toBe('https://x.example/');
});

test('without a base they lead nowhere', () => {
  expect(resolveLink('docs/a.md', undefined)).toBeUndefined();
  expect(resolveLink('', 'https://x.example')).toBeUndefined();
});
