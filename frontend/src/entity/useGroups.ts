import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Facet } from '~/api/client';
import { facetsQuery, groupsQuery, problemSummaryQuery } from '~/api/queries';
import { buildForest, readGroups } from './groupTree';

const fields = ['relations.memberOf', 'facts["ownership.owner"]', 'relations.ownedBy'];

export type Counts = { members: number; owned: number; errors: number; warnings: number };
const none: Counts = { members: 0, owned: 0, errors: 0, warnings: 0 };

/** All groups as trees, with how many members they have, what they own and what is wrong with it. */
export function useGroups() {
  const groups = useQuery(groupsQuery);
  const facets = useQuery(facetsQuery(fields, '', 1000));
  const problems = useQuery(problemSummaryQuery('owner'));
  const list = useMemo(() => readGroups(groups.data ?? []), [groups.data]);
  const forest = useMemo(() => buildForest(list), [list]);
  const counts = useMemo(() => {
    const all = new Map<string, Counts>();
    const of = (ref: string) => {
      const c = all.get(ref) ?? { ...none };
      all.set(ref, c);
      return c;
    };
    const facet = (n: number): NonNullable<Facet['values']> => facets.data?.facets?.[n]?.values ?? [];
    for (const v of facet(0)) if (v.value) of(v.value).members = v.count ?? 0;
    // Who counts as owner, or where no plugin says so who is declared.
    for (const v of facet(1).length > 0 ? facet(1) : facet(2)) if (v.value) of(v.value).owned = v.count ?? 0;
    for (const c of problems.data?.counts ?? []) {
      if (!c.value) continue;
      of(c.value).errors = c.errors ?? 0;
      of(c.value).warnings = c.warnings ?? 0;
    }
    return all;
  }, [facets.data, problems.data]);
  return {
    list,
    forest,
    countsOf: (ref: string): Counts => counts.get(ref) ?? none,
    loading: groups.isPending || facets.isPending,
    error: groups.error ?? facets.error,
    retry: () => {
      groups.refetch();
      facets.refetch();
    },
  };
}
