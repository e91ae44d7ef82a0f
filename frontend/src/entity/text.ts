/** The text at a path of something that strangers wrote, such as a spec; empty if there is none. */
export function textIn(of: unknown, ...path: string[]): string {
  let at = of;
  for (const part of path) {
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, part)) return '';
    at = (at as Record<string, unknown>)[part];
  }
  return typeof at === 'string' ? at : '';
}
