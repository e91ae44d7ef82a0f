/** The beginning of a Markdown text, cut between paragraphs and never inside a block of code. */
export function excerpt(markdown: string, length = 1500): string {
  if (markdown.length <= length * 1.3) return markdown;
  let inCode = false;
  let size = 0;
  const kept: string[] = [];
  for (const line of markdown.split('\n')) {
    if (/^\s*(```|~~~)/.test(line)) inCode = !inCode;
    if (!inCode && size > length && line.trim() === '') break;
    if (size > length * 4) break;
    kept.push(line);
    size += line.length + 1;
  }
  // A heading without what it heads says nothing.
  while (kept.length > 1 && /^(#|\s*$)/.test(kept.at(-1) ?? '')) kept.pop();
  return kept.join('\n');
}
