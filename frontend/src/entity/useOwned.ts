import { useQueries, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Problem } from '~/api/client';
import { ownedQuery, problemSummaryQuery, problemsQuery } from '~/api/queries';
import { type OwnedRow, ownedRows, worstFirst } from './owned';
import { formatRef, type Ref } from './ref';

/** More owners with problems than this are counted but not listed. */
const mostOwners = 20;

export type OwnedState = {
  rows: OwnedRow[];
  /** Worst first; what no entity is the cause of is among them. */
  problems: Problem[];
  errors: number;
  warnings: number;
  /** The owners that were looked for. */
  owners: string[];
  loading: boolean;
  error: unknown;
  retry: () => void;
};

/** What a group or user owns, itself or also through others, and how it is. */
export function useOwned(ref: Ref, direct = false): OwnedState {
  const owned = useQuery(ownedQuery(ref, direct));
  const summary = useQuery(problemSummaryQuery('owner'));
  const self = formatRef(ref);
  const owners = owned.data?.ownerRefs ?? [self];
  const counts = (summary.data?.counts ?? []).filter((c) => c.value && owners.includes(c.value));
  const problems = useQueries({
    queries: counts
      .slice(0, mostOwners)
      .map((c) => ({ ...problemsQuery({ ownerRef: c.value, pageSize: 200 }), placeholderData: undefined })),
    combine: (all) => ({
      list: all.flatMap((q) => q.data?.problems ?? []),
      pending: all.some((q) => q.isPending),
    }),
  });
  const rows = useMemo(() => ownedRows(owned.data?.owned ?? [], problems.list), [owned.data, problems.list]);
  const list = useMemo(() => worstFirst(problems.list), [problems.list]);
  return {
    rows,
    problems: list,
    errors: counts.reduce((n, c) => n + (c.errors ?? 0), 0),
    warnings: counts.reduce((n, c) => n + (c.warnings ?? 0), 0),
    owners,
    loading: owned.isPending || summary.isPending || problems.pending,
    error: owned.error ?? summary.error,
    retry: () => {
      owned.refetch();
      summary.refetch();
    },
  };
}
