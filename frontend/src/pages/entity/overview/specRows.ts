import type { Entity } from '~/api/client';
import { formatWord } from '~/facts/format';

// In the header, among the relations, or with a tab of its own.
const elsewhere = new Set(
  `type lifecycle owner system domain subcomponentOf subdomainOf providesApis consumesApis dependsOn dependencyOf
  definition members memberOf parent children profile`.split(/\s+/),
);

/** What the spec says beyond what is shown elsewhere, if it is short: custom fields and kinds without a page of their own. */
export function specRows(entity: Entity): [name: string, value: unknown][] {
  const spec = entity.spec as Record<string, unknown> | undefined;
  if (typeof spec !== 'object' || spec === null) return [];
  return Object.entries(spec)
    .filter(([field, v]) => !elsewhere.has(field) && isShort(v))
    .slice(0, 12)
    .map(([field, v]) => [nameOf(field), v]);
}

function isShort(v: unknown): boolean {
  if (v === null || v === undefined || v === '') return false;
  if (typeof v === 'object')
    return Array.isArray(v) && v.length > 0 && v.every((x) => typeof x === 'string') && v.join().length < 400;
  return String(v).length < 400;
}

/** trainedOn is "Trained on". */
const nameOf = (field: string) =>
  formatWord(field.replace(/([a-z0-9])([A-Z])/g, (_, a: string, b: string) => `${a}-${b.toLowerCase()}`));
