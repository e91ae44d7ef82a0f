import { expect, test } from 'vitest';
import { localTime } from './localTime';

test('a time goes through the input and comes back', () => {
  const time = new Date(2026, 1, 3, 4, 5);
  expect(localTime(time)).toBe('2026-02-03T04:05');
  expect(new Date(localTime(time)).getTime()).toBe(time.getTime());
});
