import { describe, expect, it } from 'vitest';
import { byteLength, unitAt } from './bytes';

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
