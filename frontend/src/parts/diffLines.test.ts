import { expect, test } from 'vitest';
import { addedText, diffLines } from './diffLines';

test('a diff is taken apart by line', () => {
  const diff = '--- a\n+++ b\n@@ -1,2 +1,2 @@\n same\n--- was a comment\n+new\n\\ No newline at end of file\n';
  expect(diffLines(diff).map((l) => [l.what, l.text])).toEqual([
    ['head', '--- a'],
    ['head', '+++ b'],
    ['place', '@@ -1,2 +1,2 @@'],
    ['same', 'same'],
    ['removed', '-- was a comment'],
    ['added', 'new'],
    ['head', '\\ No newline at end of file'],
  ]);
});

test('a piece without hunks is one', () => {
  expect(diffLines('-a\n+b').map((l) => l.what)).toEqual(['removed', 'added']);
});

test('what is added can be read without the signs', () => {
  expect(addedText('--- /dev/null\n+++ b\n@@ -0,0 +1,2 @@\n+a: 1\n+b:\n')).toBe('a: 1\nb:');
});
