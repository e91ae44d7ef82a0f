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
