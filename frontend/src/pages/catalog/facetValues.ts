import { none } from '~/cel/write';
import { parseRef, shortRef } from '~/entity/ref';
import type { FacetField } from './facets';
import type { Counted } from './useFacets';

export type Choice = { value: string; words: string; count: number | undefined; chosen: boolean };

/** What a value is called. */
export function valueWords(field: FacetField, value: string): string {
  if (value === none) return field.noneWords ?? 'None';
  const ref = field.refs ? parseRef(value) : undefined;
  return field.words?.[value] ?? (ref ? shortRef(ref) : value);
}

/**
 * The choices of a facet: those chosen first, then the others by count, and last
 * that of none, if there can be such.
 */
export function choicesOf(field: FacetField, counted: Counted | undefined, chosen: string[]): Choice[] {
  const counts = new Map(counted?.values.map((v) => [v.value, v.count]));
  const choice = (value: string, count: number | undefined): Choice => ({
    value,
    words: valueWords(field, value),
    count,
    chosen: chosen.includes(value),
  });
  const out = chosen.filter((v) => v !== none).map((v) => choice(v, counted ? (counts.get(v) ?? 0) : undefined));
  for (const v of counted?.values ?? [])
    if (v.value !== '' && !chosen.includes(v.value)) out.push(choice(v.value, v.count));
  if (field.noneWords) {
    const without = withoutValue(field, counted);
    if (without !== 0 || chosen.includes(none)) out.push(choice(none, without));
  }
  return out;
}

/** How many have no value; undefined if that does not follow from the counts. */
function withoutValue(field: FacetField, counted: Counted | undefined): number | undefined {
  if (!counted) return undefined;
  const sum = counted.values.reduce((n, v) => n + v.count, 0);
  if (sum === 0 && counted.more === 0) return counted.total;
  if (field.shape === 'list' || counted.more > 0) return undefined;
  return Math.max(0, counted.total - sum);
}
