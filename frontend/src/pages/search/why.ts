import type { Highlight } from '~/api/client';
import type { Piece } from '~/entity/highlight';

const mostOthers = 3;

/** Where a result matched, apart from what is shown anyway. */
export function whyMatched(highlights: readonly Highlight[], title: string) {
  const inTitle = highlights.find((h) => h.text === title);
  const description = highlights.find((h) => h.field === 'metadata.description');
  const others = highlights
    .filter((h) => h.text && h.text !== title && h !== description && !/^metadata\.(name|title)$/.test(h.field ?? ''))
    .slice(0, mostOthers);
  // A name that matched where the title did not is the only reason there is.
  const name = highlights.find((h) => h.field === 'metadata.name');
  if (!inTitle && name && name.text?.toLowerCase() !== title.toLowerCase()) others.unshift(name);
  return { inTitle, description, others };
}

/** What a person calls a field: spec.providesApis is "provides apis". */
export function fieldWords(field: string): string {
  const last = field.split('.').at(-1) ?? '';
  return last.replace(/([\p{Ll}])(\p{Lu})/gu, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);
}

/** The part of a text around what matched first, of about so many characters. */
export function shorten(pieces: readonly Piece[], length: number): Piece[] {
  const all = pieces.reduce((n, p) => n + p.text.length, 0);
  if (all <= length) return [...pieces];
  const firstHit = pieces.findIndex((p) => p.hit);
  const before = pieces.slice(0, Math.max(0, firstHit)).reduce((n, p) => n + p.text.length, 0);
  const from = Math.max(0, Math.min(before - Math.floor(length / 3), all - length));
  const out: Piece[] = [];
  let at = 0;
  for (const p of pieces) {
    const chars = cut(p.text, from - at, from + length - at);
    at += p.text.length;
    if (chars) out.push({ text: chars, hit: p.hit });
  }
  if (from > 0) out.unshift({ text: '…', hit: false });
  if (from + length < all) out.push({ text: '…', hit: false });
  return out;
}

/** Of a text the part from start to end, with no half of a character at either. */
function cut(text: string, start: number, end: number): string {
  let from = Math.max(0, start);
  let to = Math.max(from, Math.min(text.length, end));
  if (isLow(text, from)) from++;
  if (isLow(text, to)) to++;
  return text.slice(from, to);
}

const isLow = (text: string, i: number) => {
  const c = text.charCodeAt(i);
  return c >= 0xdc00 && c <= 0xdfff;
};
