import { expect, test } from 'vitest';
import { safeHref } from './safeHref';

test.each([
  ['https://example.com/a?b#c', 'https://example.com/a?b#c'],
  ['mailto:team@example.com', 'mailto:team@example.com'],
  ['  https://example.com ', 'https://example.com/'],
])('%s may be followed', (address, href) => {
  expect(safeHref(address)).toBe(href);
});

test.each([
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  '\u0001javascript:alert(1)',
  ' java\nscript:alert(1)',
  'data:text/html,x',
  'vbscript:x',
  'file:///etc/passwd',
  'blob:https://x/y',
  '/relative',
  '',
  undefined,
])('%j may not', (address) => {
  expect(safeHref(address)).toBeUndefined();
});
