import { expect, test } from 'vitest';
import { hrefOf } from './href';

test.each([
  [{ kind: 'component', namespace: 'default', name: 'web' }, undefined, '/catalog/default/component/web'],
  [{ kind: 'api', namespace: 'shop', name: 'a.b_c' }, 'raw', '/catalog/shop/api/a.b_c/raw'],
  [{ kind: 'x?#', namespace: 'a b', name: '"><b>' }, undefined, '/catalog/a%20b/x%3F%23/%22%3E%3Cb%3E'],
])('%j %s', (ref, tab, want) => {
  expect(hrefOf(ref, tab)).toBe(want);
});
