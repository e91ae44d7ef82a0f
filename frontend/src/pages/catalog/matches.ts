import type { Highlight } from '~/api/client';

type Ranges = Highlight['ranges'];

/** What to mark in a text that is shown: the highlight of that very text. */
export function rangesOf(highlights: Highlight[] | undefined, text: string): Ranges {
  return highlights?.find((h) => h.text === text)?.ranges;
}

/** The match that explains most where what is shown already does not: none if a title or name does. */
export function whyMatched(highlights: Highlight[], ...shown: string[]): (Highlight & { text: string }) | undefined {
  const other = highlights.find((h) => h.text && !shown.includes(h.text) && h.field !== 'metadata.name');
  if (!other?.text) return undefined;
  return { ...other, ...excerpt(other.text, other.ranges) };
}

/** A text from the word of its first match on, if that is not among the first: lines are short. */
export function excerpt(text: string, ranges: Ranges): { text: string; ranges: Ranges } {
  const first = Math.min(...(ranges ?? []).map((r) => r.start ?? 0));
  if (!Number.isFinite(first) || first <= 8) return { text, ranges };
  const bytes = new TextEncoder().encode(text);
  let cut = first;
  while (cut > 0 && !' /:,.;()"\n'.includes(String.fromCharCode(bytes[cut - 1] ?? 0))) cut--;
  if (cut === 0) return { text, ranges };
  const dots = 3; // the bytes of …
  return {
    text: `…${new TextDecoder().decode(bytes.slice(cut))}`,
    ranges: (ranges ?? []).map((r) => ({ start: (r.start ?? 0) - cut + dots, end: (r.end ?? 0) - cut + dots })),
  };
}
