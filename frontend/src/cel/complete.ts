import { fieldExpression, quote } from './write';

/** What can be completed with. */
export type Vocabulary = {
  /** Paths of fields, such as spec.type. */
  fields: { path: string; about?: string }[];
  /** Values that are there, by path of the field. */
  values: (path: string) => string[];
};

export type Suggestion = { label: string; detail?: string; apply: string };

/** Suggestions for the word before the position, which begins at from. */
export type Suggestions = { from: number; options: Suggestion[] };

const reference = /(?:entity|facts|relations)(?:\.[A-Za-z_]\w*|\["(?:[^"\\]|\\.)*"\])*/;
const comparison = new RegExp(
  `(${reference.source})\\s*(?:==|!=|in\\s*\\[(?:\\s*"(?:[^"\\\\]|\\\\.)*"\\s*,)*)\\s*("(?:[^"\\\\]|\\\\.)*|\\w*)$`,
);
const membership = /("(?:[^"\\]|\\.)*"?)\s+in\s+([\w.]*)$/;
const partial = /(?:entity|facts|relations)?[\w.[\]"/-]*$/;

/** What could stand where somebody writes: a value after == or within in [ ], else a field. */
export function suggest(text: string, position: number, words: Vocabulary): Suggestions | undefined {
  const before = text.slice(0, position);
  const compared = comparison.exec(before);
  if (compared?.[1]) {
    const typed = compared[2] ?? '';
    const field = words.fields.find((f) => fieldExpression(f.path) === compared[1]);
    if (!field) return undefined;
    const options = words.values(field.path).map((v) => ({ label: v, apply: quote(v) }));
    return options.length > 0 ? { from: position - typed.length, options } : undefined;
  }
  if (insideString(before) && !/\["[^"]*$/.test(before)) return undefined;
  const member = membership.exec(before);
  const typed = member ? (member[2] ?? '') : (partial.exec(before)?.[0] ?? '');
  const options: Suggestion[] = [];
  for (const f of words.fields) {
    const expression = fieldExpression(f.path);
    if (expression) options.push({ label: expression, detail: f.about, apply: expression });
  }
  if (!typed.includes('.') && !typed.includes('['))
    options.push(
      { label: 'has(…)', detail: 'the field is there', apply: 'has(' },
      { label: 'ref', detail: 'kind:namespace/name', apply: 'ref' },
    );
  return { from: position - typed.length, options };
}

function insideString(before: string): boolean {
  return (before.replace(/\\./g, '').match(/"/g)?.length ?? 0) % 2 === 1;
}
