import { expect, it } from 'vitest';
import { csvCell, csvLine } from './csv';

it('quotes what would break a line or a cell', () => {
  expect(csvCell('plain')).toBe('plain');
  expect(csvCell('a,b')).toBe('"a,b"');
  expect(csvCell('say "hi"')).toBe('"say ""hi"""');
  expect(csvCell('two\nlines')).toBe('"two\nlines"');
  expect(csvLine(['a', '', 'b,c'])).toBe('a,,"b,c"\r\n');
});

it('defuses formulas', () => {
  for (const evil of ['=1+1', '+1', '-1', '@SUM(A1)', '\tx']) expect(csvCell(evil)).toBe(`'${evil}`);
  expect(csvCell('=HYPERLINK("http://x","y")')).toBe(`"'=HYPERLINK(""http://x"",""y"")"`);
  expect(csvCell('a=b')).toBe('a=b');
});
