import { expect, it } from 'vitest';
import { pagesOf } from './windows';

it('holds what is visible', () => {
  expect(pagesOf(0, 0, 100)).toEqual([0]);
  expect(pagesOf(0, 100, 100)).toEqual([0]);
  expect(pagesOf(90, 130, 100)).toEqual([0, 1]);
  expect(pagesOf(99_950, 100_000, 100)).toEqual([999]);
});

it('asks for few even if the screen is very high', () => {
  expect(pagesOf(0, 100_000, 100)).toHaveLength(5);
});
