import { expect, test } from 'vitest';
import { targetOf } from './target';

test.each([
  [
    ' https://github.com/acme/shop/blob/main/catalog-info.yaml ',
    'url:https://github.com/acme/shop/blob/main/catalog-info.yaml',
  ],
  ['url:https://example.com/a.yaml', 'url:https://example.com/a.yaml'],
  ['file:/srv/a.yaml', 'file:/srv/a.yaml'],
])('%s', (pasted, target) => expect(targetOf(pasted)).toBe(target));

test.each(['', 'shop', 'javascript:alert(1)', 'ftp://x/y', 'file:'])('%j is no location', (pasted) =>
  expect(targetOf(pasted)).toBeUndefined(),
);
