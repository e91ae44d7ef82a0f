export type DiffLine = { what: 'added' | 'removed' | 'same' | 'head' | 'place'; sign: string; text: string };

/** Takes a unified diff apart. Heads of files count only before the first hunk: a removed "-- x" looks like one. */
export function diffLines(text: string): DiffLine[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  let inHunk = !/^@@ /m.test(text);
  return lines.map((line): DiffLine => {
    if (line.startsWith('@@ ')) {
      inHunk = true;
      return { what: 'place', sign: '', text: line };
    }
    if (line.startsWith('diff ')) inHunk = false;
    if (!inHunk || line.startsWith('\\')) return { what: 'head', sign: '', text: line };
    const sign = line.charAt(0);
    if (sign === '+') return { what: 'added', sign: '+', text: line.slice(1) };
    if (sign === '-') return { what: 'removed', sign: '−', text: line.slice(1) };
    return { what: 'same', sign: '', text: sign === ' ' ? line.slice(1) : line };
  });
}

/** What a diff adds, without the signs. */
export function addedText(diff: string): string {
  return diffLines(diff)
    .filter((line) => line.what === 'added')
    .map((line) => line.text)
    .join('\n');
}
