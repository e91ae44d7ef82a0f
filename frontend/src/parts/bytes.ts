// The API counts in bytes of UTF-8, browsers in UTF-16 units.

const encoder = new TextEncoder();

export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** The position in a string of a byte of its UTF-8; of the character that the byte is within. */
export function unitAt(text: string, byte: number): number {
  let bytes = 0;
  let units = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes + size > byte) break;
    bytes += size;
    units += char.length;
  }
  return units;
}

export type Piece = { text: string; marked: boolean };

/** A text in pieces, of which those in the ranges of bytes are marked. Ranges may be of any order and overlap. */
export function pieces(text: string, ranges: { start?: number; end?: number }[] = []): Piece[] {
  const marks = ranges
    .map((r) => [unitAt(text, r.start ?? 0), unitAt(text, r.end ?? 0)] as const)
    .filter(([start, end]) => end > start)
    .sort((a, b) => a[0] - b[0]);
  const out: Piece[] = [];
  let at = 0;
  for (const [from, end] of marks) {
    const start = Math.max(from, at);
    if (end <= start) continue;
    if (start > at) out.push({ text: text.slice(at, start), marked: false });
    out.push({ text: text.slice(start, end), marked: true });
    at = end;
  }
  if (at < text.length) out.push({ text: text.slice(at), marked: false });
  return out;
}
