/** Two letters that stand for a name: of its first and last word. */
export function initials(name: string): string {
  const words = name.split(/[\s._/@-]+/u).filter((w) => /[\p{L}\p{N}]/u.test(w));
  const first = [...(words[0] ?? '')].find((c) => /[\p{L}\p{N}]/u.test(c)) ?? '?';
  const last = words.length > 1 ? ([...(words.at(-1) ?? '')].find((c) => /[\p{L}\p{N}]/u.test(c)) ?? '') : '';
  return (first + last).toLocaleUpperCase('en');
}

/** One of n tints, always the same for the same text. */
export function tintOf(text: string, n: number): number {
  let h = 0;
  for (const c of text) h = (h * 31 + (c.codePointAt(0) ?? 0)) >>> 0;
  return h % n;
}
