import { describe, expect, it } from 'vitest';
import { byteLength, pieces, unitAt } from './bytes';

describe('bytes', () => {
  it('are those of UTF-8', () => {
    expect(byteLength('aé€🚀')).toBe(1 + 2 + 3 + 4);
    expect(unitAt('aé€🚀z', 1)).toBe(1);
    expect(unitAt('aé€🚀z', 3)).toBe(2);
    expect(unitAt('aé€🚀z', 6)).toBe(3);
    expect(unitAt('aé€🚀z', 10)).toBe(5);
    expect(unitAt('aé€🚀z', 8)).toBe(3); // within the rocket
    expect(unitAt('ab', 99)).toBe(2);
  });
});

describe('pieces', () => {
  it('marks ranges of bytes', () => {
    expect(pieces('Zürich pay', [{ start: 8, end: 11 }])).toEqual([
      { text: 'Zürich ', marked: false },
      { text: 'pay', marked: true },
    ]);
    expect(pieces('pay', [{ end: 3 }])).toEqual([{ text: 'pay', marked: true }]);
  });
  it('bears ranges out of order, that overlap, are empty or beyond the end', () => {
    const out = pieces('abcdef', [
      { start: 4, end: 99 },
      { start: 0, end: 2 },
      { start: 1, end: 3 },
      { start: 3, end: 3 },
    ]);
    expect(out.map((p) => p.text).join('')).toBe('abcdef');
    expect(out.filter((p) => p.marked).map((p) => p.text)).toEqual(['ab', 'c', 'ef']);
  });
  it('is the text without ranges', () => {
    expect(pieces('abc')).toEqual([{ text: 'abc', marked: false }]);
    expect(pieces('')).toEqual([]);
  });
});
