export type Json = Record<string, unknown>;

export function isObject(v: unknown): v is Json {
  return typeof v === 'object' && v !== null && !Array.isArray(v);
}

/** A text of what may be anything. */
export function text(v: unknown): string {
  if (typeof v === 'string') return v;
  return typeof v === 'number' || typeof v === 'boolean' ? String(v) : '';
}

export function list(v: unknown): unknown[] {
  return Array.isArray(v) ? v : [];
}

export type Resolved = {
  /** What stands there; undefined if it cannot be had. */
  value: unknown;
  /** The last reference that was followed; empty if none. */
  ref: string;
  /** Its last part, such as Order. */
  name: string;
  /** Why there is no value: it is elsewhere and is never fetched, it is not there, or it leads to itself. */
  problem?: 'elsewhere' | 'missing' | 'circle';
};

/** Follows $ref within the document, and only there. */
export function resolve(doc: unknown, value: unknown): Resolved {
  const seen = new Set<string>();
  let at: Resolved = { value, ref: '', name: '' };
  while (isObject(at.value) && typeof at.value.$ref === 'string') {
    const ref = at.value.$ref;
    const found = { value: undefined, ref, name: nameOf(ref) };
    if (!ref.startsWith('#')) return { ...found, problem: 'elsewhere' };
    if (seen.has(ref)) return { ...found, problem: 'circle' };
    seen.add(ref);
    const target = pointer(doc, ref.slice(1));
    if (target === undefined) return { ...found, problem: 'missing' };
    at = { ...found, value: target };
  }
  return at;
}

function nameOf(ref: string): string {
  return decode(ref.split('/').pop() ?? '') || ref;
}

/** RFC 6901, over own properties alone. */
function pointer(doc: unknown, path: string): unknown {
  let at = doc;
  if (path === '') return at;
  if (!path.startsWith('/')) return undefined;
  for (const part of path.slice(1).split('/')) {
    const key = decode(part);
    if (Array.isArray(at)) at = /^\d+$/.test(key) ? at[Number(key)] : undefined;
    else if (isObject(at) && Object.hasOwn(at, key)) at = at[key];
    else return undefined;
  }
  return at;
}

function decode(part: string): string {
  let decoded = part;
  try {
    decoded = decodeURIComponent(part);
  } catch {
    // a stray percent sign is meant as it stands
  }
  return decoded.replaceAll('~1', '/').replaceAll('~0', '~');
}
