// CEL is written here and nowhere else: what comes from the catalog or the
// address is always quoted, so that a value can never become an expression.

/** A CEL string literal. JSON's is one too, but for halves of surrogate pairs, which CEL refuses. */
export function quote(text: string): string {
  return JSON.stringify(
    text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD'),
  );
}

/** metadata.labels["a.b"] as metadata, labels, a.b; undefined if it is no path. */
export function splitPath(path: string): string[] | undefined {
  const parts: string[] = [];
  const step = /\.?([A-Za-z_][\w-]*)|\[("(?:[^"\\]|\\.)*")\]/y;
  while (step.lastIndex < path.length) {
    const m = step.exec(path);
    if (!m) return undefined;
    if (m[1] !== undefined) parts.push(m[1]);
    else
      try {
        parts.push(JSON.parse(m[2] ?? '') as string);
      } catch {
        return undefined;
      }
  }
  return parts.length > 0 ? parts : undefined;
}

const reserved = new Set(
  'as break const continue else false for function if import in let loop namespace null package return true var void while'.split(
    ' ',
  ),
);
const plain = (part: string) => /^[A-Za-z_]\w*$/.test(part) && !reserved.has(part);

/** The expression of a field's value: entity.spec.type, facts["a.b"], relations.ownedBy. */
export function fieldExpression(path: string): string | undefined {
  const parts = splitPath(path);
  if (!parts) return undefined;
  const rooted = parts[0] === 'facts' || parts[0] === 'relations' ? parts : ['entity', ...parts];
  return rooted.map((p, i) => (i === 0 ? p : plain(p) ? `.${p}` : `[${quote(p)}]`)).join('');
}

/** The expression that is true where the field is absent. */
export function absent(path: string): string | undefined {
  const parts = splitPath(path);
  const whole = fieldExpression(path);
  const last = parts?.at(-1);
  if (!parts || !whole || last === undefined || parts.length < 2) return undefined;
  if (parts[0] !== 'facts' && plain(last)) return `!has(${whole})`;
  const holder = parts.slice(0, -1);
  const rooted = holder[0] === 'facts' || holder[0] === 'relations' ? holder : ['entity', ...holder];
  return `!(${quote(last)} in ${rooted.map((p, i) => (i === 0 ? p : plain(p) ? `.${p}` : `[${quote(p)}]`)).join('')})`;
}

/** How the values of a field are compared. */
export type Shape = 'text' | 'list' | 'literal';

/** The choice that stands for a field that is absent; a value of that very name cannot be chosen. */
export const none = '(none)';

/** True where the field is, or has, one of the values; undefined if the path is none. */
export function oneOf(path: string, values: string[], shape: Shape = 'text'): string | undefined {
  const field = fieldExpression(path);
  if (!field || values.length === 0) return undefined;
  const present = values.filter((v) => v !== none);
  const literal = (v: string) => (shape === 'literal' && /^(true|false|-?\d+(\.\d+)?)$/.test(v) ? v : quote(v));
  const terms: string[] = [];
  if (present.length > 0 && (shape === 'list' || path.startsWith('relations.')))
    terms.push(...present.map((v) => `${quote(v)} in ${field}`));
  else if (present.length === 1) terms.push(`${field} == ${literal(present[0] ?? '')}`);
  else if (present.length > 1) terms.push(`${field} in [${present.map(literal).join(', ')}]`);
  const without = values.includes(none) ? absent(path) : undefined;
  // What is absent is asked for first: an error of the others does not matter then.
  if (without) terms.unshift(without);
  return terms.length > 1 ? `(${terms.join(' || ')})` : terms[0];
}
