export type Piece = { text: string; hit: boolean };

/**
 * Splits a text at the ranges that matched. The server counts bytes of UTF-8,
 * JavaScript counts UTF-16, so that the ranges are cut from the bytes; a range
 * that begins or ends within a character takes the whole of it.
 */
export function splitHighlights(
  text: string,
  ranges: readonly { start?: number; end?: number }[] | undefined,
): Piece[] {
  if (text === '') return [];
  const cuts = (ranges ?? [])
    .map(({ start = 0, end = 0 }) => ({ start, end }))
    .filter((r) => r.end > r.start)
    .sort((a, b) => a.start - b.start || a.end - b.end);
  if (cuts.length === 0) return [{ text, hit: false }];

  const pieces: Piece[] = [];
  const add = (char: string, hit: boolean) => {
    const last = pieces.at(-1);
    if (last?.hit === hit) last.text += char;
    else pieces.push({ text: char, hit });
  };
  let at = 0; // bytes
  let next = 0; // the range that ends after at
  for (const char of text) {
    const size = bytesOf(char.codePointAt(0) ?? 0);
    while (next < cuts.length && (cuts[next]?.end ?? 0) <= at) next++;
    // Ranges may overlap: any that covers the character will do.
    let hit = false;
    for (let i = next; i < cuts.length && !hit; i++) {
      const cut = cuts[i];
      if (!cut || cut.start >= at + size) break;
      hit = cut.end > at;
    }
    add(char, hit);
    at += size;
  }
  return pieces;
}

function bytesOf(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
