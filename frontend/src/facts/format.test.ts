import { expect, test } from 'vitest';
import { formatDuration, formatNumber, formatPercent, formatWord } from './format';

const flat = (s: string) => s.replaceAll('\u00a0', ' ');

test('numbers carry their unit as a person says it', () => {
  expect(flat(formatNumber(1234.567))).toBe('1,234.57');
  expect(flat(formatNumber(0.9995))).toBe('0.9995');
  expect(flat(formatNumber(3, '{open_requests}'))).toBe('3 open requests');
  expect(flat(formatNumber(12, '1/s'))).toBe('12 /s');
  expect(flat(formatNumber(1_536_000, 'By'))).toBe('1.54 MB');
  expect(flat(formatNumber(2, 'constructor'))).toBe('2 constructor');
});

test('percents do not claim more than there is', () => {
  expect(flat(formatPercent(0.95))).toBe('95 %');
  expect(flat(formatPercent(0.123456))).toBe('12.3 %');
  expect(flat(formatPercent(0.99999))).toBe('99.99 %');
  expect(flat(formatPercent(1))).toBe('100 %');
});

test('durations are told by their two largest parts', () => {
  expect(flat(formatDuration(3, 'd'))).toBe('3 days');
  expect(flat(formatDuration(1, 'd'))).toBe('1 day');
  expect(flat(formatDuration(90, 'min'))).toBe('1 h 30 min');
  expect(flat(formatDuration(3599.9, 's'))).toBe('1 h');
  expect(flat(formatDuration(250, 'ms'))).toBe('250 ms');
  expect(flat(formatDuration(0, 'd'))).toBe('0 d');
  expect(flat(formatDuration(5, 'parsec'))).toBe('5 parsec');
});

test('words of a machine are words of a person', () => {
  expect(formatWord('single-person')).toBe('Single person');
  expect(formatWord('A/B')).toBe('A/B');
});
