import { useQueries } from '@tanstack/react-query';
import { useEffect, useMemo, useRef } from 'react';
import { facetsQuery } from '~/api/queries';
import { countingPlan, type FacetField } from './facets';

export type Counted = {
  values: { value: string; count: number }[];
  /** Values beyond those. */
  more: number;
  /** Entities that were counted. */
  total: number;
};

const isValue = (value: string, kind?: string) => !kind || value === '' || value.startsWith(`${kind}:`);

const dataOf = <T>(answers: { data: T }[]): T[] => answers.map((a) => a.data);

/**
 * Counts of the given facets and of "kind", each under all that is chosen but its
 * own choice. Counts of before stay until there are new ones.
 */
export function useFacets(
  fields: FacetField[],
  chosen: string[],
  filter: string,
  composeWithout: (except: string) => string,
  limits: Record<string, number>,
): Map<string, Counted> {
  const deep = fields.filter((f) => limits[f.field]);
  const plan = [
    { fields: ['kind'], filter: composeWithout('kind'), limit: 100 },
    ...countingPlan(fields, chosen).map((p) => ({
      fields: p.fields,
      filter: p.except ? composeWithout(p.except) : filter,
      limit: 100,
    })),
    ...deep.map((f) => ({
      fields: [f.field],
      filter: chosen.includes(f.field) ? composeWithout(f.field) : filter,
      limit: limits[f.field] ?? 100,
    })),
  ];
  const answers = useQueries({
    queries: plan.map((p) => ({ ...facetsQuery(p.fields, p.filter, p.limit), placeholderData: undefined })),
    combine: dataOf,
  });

  const kinds = useMemo(() => Object.fromEntries(fields.map((f) => [f.field, f.of])), [fields]);
  const before = useRef(new Map<string, Counted>());
  // The same one as long as the answers are: what draws it need not be drawn anew with each key.
  const counted = useMemo(() => {
    const now = new Map(before.current);
    for (const data of answers)
      for (const facet of data?.facets ?? [])
        now.set(facet.field ?? '', {
          values: (facet.values ?? [])
            .map((v) => ({ value: v.value ?? '', count: v.count ?? 0 }))
            .filter((v) => isValue(v.value, kinds[facet.field ?? ''])),
          more: facet.more ?? 0,
          total: data?.totalSize ?? 0,
        });
    return now;
  }, [answers, kinds]);
  useEffect(() => {
    before.current = counted;
  }, [counted]);
  return counted;
}
