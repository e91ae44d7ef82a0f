import type { Problem } from '~/api/client';

/** acme/web/catalog-info.yaml:14:3 */
export function placeOf(p: Problem): string {
  const file = [p.repository, p.path].filter(Boolean).join('/');
  if (!p.path || !p.line) return file;
  return `${file}:${p.line}${p.column ? `:${p.column}` : ''}`;
}

/** What to write as a small diff; empty if that is not known. */
export function fixDiff(p: Problem): string {
  const { found, replacement } = p.fix ?? {};
  if (!replacement) return '';
  if (found) return `${signed('-', found)}\n${signed('+', replacement)}`;
  const field = p.field?.split('.').at(-1);
  return signed('+', field && !replacement.includes('\n') ? `${field}: ${replacement}` : replacement);
}

const signed = (sign: string, text: string) =>
  text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => sign + line)
    .join('\n');
