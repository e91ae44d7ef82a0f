import { isObject, type Json, list, resolve, text } from './refs';

/** A schema as one reads it: what it is, its limits, and what is in it. */
export type Described = {
  /** Such as "string (date-time)" or "array of Order". */
  type: string;
  /** The reference it was found under; empty if it stands where it is used. */
  ref: string;
  description: string;
  deprecated: boolean;
  /** Limits in words, such as "at least 1". */
  limits: string[];
  values: string[];
  children: Child[];
};
export type Child = { name: string; required: boolean; schema: unknown };

/** More properties than this are of no use to a reader, and cost the page dear. */
const mostChildren = 500;
const mostValues = 60;

export function describeSchema(doc: unknown, schema: unknown): Described {
  const found = resolve(doc, schema);
  const none: Described = {
    type: found.name || 'any',
    ref: found.ref,
    description: '',
    deprecated: false,
    limits: [],
    values: [],
    children: [],
  };
  if (found.problem === 'elsewhere') return { ...none, type: found.ref, limits: ['in another document'] };
  if (found.problem === 'missing') return { ...none, limits: ['not in this document'] };
  if (found.problem === 'circle') return { ...none, limits: ['leads only to itself'] };
  if (found.value === false) return { ...none, type: 'nothing' };
  if (!isObject(found.value)) return none;
  const s = found.value;
  return {
    type: typeWords(doc, s, found.name),
    ref: found.ref,
    description: text(s.description) || text(s.title),
    deprecated: s.deprecated === true,
    limits: limitsOf(s),
    values: ('const' in s ? [s.const] : list(s.enum)).slice(0, mostValues).map(value),
    children: childrenOf(doc, s).slice(0, mostChildren),
  };
}

function typeWords(doc: unknown, s: Json, name: string): string {
  const types = (Array.isArray(s.type) ? s.type : [s.type]).map(text).filter((t) => t !== '');
  let words = types.join(' or ');
  if (!words) {
    if (isObject(s.properties)) words = 'object';
    else if (s.items !== undefined) words = 'array';
    else words = combined(s) ?? 'any';
  }
  if (types.includes('array') || words === 'array') {
    const items = resolve(doc, s.items);
    const inner = items.name || (isObject(items.value) ? list([items.value.type]).map(text).join('') : '');
    words = inner ? `array of ${inner}` : 'array';
  } else if (name) words = `${name} (${words})`;
  if (text(s.format)) words += ` (${text(s.format)})`;
  if (s.nullable === true) words += ' or null';
  return words;
}

function combined(s: Json): string | undefined {
  if (Array.isArray(s.oneOf)) return 'one of';
  if (Array.isArray(s.anyOf)) return 'any of';
  if (Array.isArray(s.allOf)) return 'all of';
  return undefined;
}

const limitWords: [string, (v: string) => string][] = [
  ['minimum', (v) => `at least ${v}`],
  ['exclusiveMinimum', (v) => `more than ${v}`],
  ['maximum', (v) => `at most ${v}`],
  ['exclusiveMaximum', (v) => `less than ${v}`],
  ['multipleOf', (v) => `multiple of ${v}`],
  ['minLength', (v) => `at least ${v} characters`],
  ['maxLength', (v) => `at most ${v} characters`],
  ['minItems', (v) => `at least ${v} items`],
  ['maxItems', (v) => `at most ${v} items`],
  ['pattern', (v) => `matches ${v}`],
];

function limitsOf(s: Json): string[] {
  const out: string[] = [];
  for (const [key, words] of limitWords) {
    const v = s[key];
    if (typeof v === 'number' || typeof v === 'string') out.push(words(text(v)));
  }
  if (s.uniqueItems === true) out.push('each once');
  if (s.readOnly === true) out.push('only in answers');
  if (s.writeOnly === true) out.push('only in requests');
  if ('default' in s) out.push(`${value(s.default)} if not given`);
  return out;
}

function childrenOf(doc: unknown, s: Json): Child[] {
  const required = new Set(list(s.required).map(text));
  const out: Child[] = [];
  if (isObject(s.properties))
    for (const [name, schema] of Object.entries(s.properties)) out.push({ name, required: required.has(name), schema });
  for (const key of ['allOf', 'oneOf', 'anyOf'] as const)
    list(s[key]).forEach((schema, i, all) => {
      const word = { allOf: 'and', oneOf: 'either', anyOf: 'any' }[key];
      const name = resolve(doc, schema).name || (all.length > 1 ? `${i + 1}` : '');
      out.push({ name: `${word} ${name}`.trim(), required: false, schema });
    });
  if (isObject(s.items)) {
    // One step less to click: of an array of objects one wants to see what is in them.
    const items = resolve(doc, s.items);
    if (items.problem || items.ref) out.push({ name: 'each item', required: false, schema: s.items });
    else if (isObject(items.value)) out.push(...childrenOf(doc, items.value));
  }
  if (isObject(s.additionalProperties))
    out.push({ name: 'any other name', required: false, schema: s.additionalProperties });
  return out;
}

/** A value of any kind, short enough for a line. */
export function value(v: unknown): string {
  const words = typeof v === 'string' ? v : (JSON.stringify(v) ?? '');
  return words.length > 80 ? `${words.slice(0, 79)}…` : words;
}
