import { expect, test } from 'vitest';
import { sentence } from './sentence';

test('sentences begin with a capital, names stay as they are', () => {
  expect(sentence('the name is not valid')).toBe('The name is not valid');
  expect(sentence('spec.owner names nobody')).toBe('spec.owner names nobody');
  expect(sentence('"owner" is no field')).toBe('"owner" is no field');
});
