import { expect, test } from 'vitest';
import { excerpt } from './excerpt';

test('a short text stays whole', () => {
  expect(excerpt('# A\n\nb')).toBe('# A\n\nb');
});

test('a long text is cut between paragraphs', () => {
  const text = `${'word '.repeat(10)}\n\n## Next\n\n${'more '.repeat(30)}`;
  expect(excerpt(text, 40)).toBe('word '.repeat(10));
});

test('code is not cut', () => {
  const code = `\`\`\`\n${'x'.repeat(30)}\n\ny\n\`\`\``;
  expect(excerpt(`${code}\n\n${'z'.repeat(60)}`, 20)).toBe(code);
});
