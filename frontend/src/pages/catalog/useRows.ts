import { replaceEqualDeep, useInfiniteQuery, useQueries, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef } from 'react';
import type { Entity, Highlight } from '~/api/client';
import { entitiesQuery, searchPagesQuery } from '~/api/queries';
import { pagesOf } from './windows';

/** Rows that are asked for at once; what is searched for while one types is asked for in smaller pieces. */
const pageSize = 100;
const searchSize = 30;

export type Row = { entity: Entity; highlights?: Highlight[] };

export type RowsInput = { filter: string; words: string; orderBy: string; fields: string };

export type Rows = {
  /** Changes when what is listed does, and not by scrolling. */
  key: string;
  /** How many are selected; undefined until the first answer. */
  total: number | undefined;
  /** How many can be scrolled to. */
  count: number;
  at: (index: number) => Row | undefined;
  /** What is shown is of what was asked for before. */
  stale: boolean;
  error: unknown;
  retry: () => void;
};

type Shown = Pick<Rows, 'key' | 'total' | 'count' | 'at'>;

export const wordsQuery = (words: string, filter: string, fields: string) =>
  searchPagesQuery(words, { filter, fields, pageSize: searchSize });

/**
 * The rows of the list around where the reader is, [start, end). Where that is must
 * be given once scrolling rests: what nobody waits for any more is cancelled. What
 * was shown stays until something newer can be.
 */
export function useRows(input: RowsInput, start: number, end: number): Rows {
  const client = useQueryClient();
  const { filter, words, orderBy, fields } = input;
  const searching = words.trim() !== '';

  const window = (page: number) => ({
    ...entitiesQuery({ filter, orderBy, fields, pageSize, skip: page * pageSize }),
    placeholderData: undefined,
  });
  const pages = searching ? [] : pagesOf(start, end, pageSize);
  const lists = useQueries({ queries: pages.map(window) });
  const found = useInfiniteQuery(wordsQuery(searching ? words : '', filter, fields));

  // What the words before found too is the same object, so that its cells need not be drawn anew with each key.
  const known = useRef(new Map<string, Entity>());
  const results = useMemo(() => {
    const all = (found.data?.pages ?? []).flatMap((p) => p.results ?? []);
    const now = new Map<string, Entity>();
    const rows = all.flatMap(({ entity, highlights }): Row[] => {
      if (!entity) return [];
      const same = replaceEqualDeep(known.current.get(entity.name ?? ''), entity);
      now.set(entity.name ?? '', same);
      return [{ entity: same, highlights }];
    });
    known.current = now;
    return rows;
  }, [found.data]);

  const key = JSON.stringify([filter, words, orderBy]);
  let shown: Shown | undefined;
  if (searching && found.data && !found.isPlaceholderData) {
    const total = found.data.pages.at(-1)?.totalSize ?? 0;
    shown = {
      key,
      total,
      count: found.hasNextPage ? Math.min(total, results.length + 20) : results.length,
      at: (i) => results[i],
    };
  } else if (!searching) {
    const answered = lists.find((l) => l.data)?.data;
    if (answered) {
      const total = answered.totalSize ?? 0;
      const byPage = new Map(pages.map((p, i) => [p, lists[i]?.data?.entities]));
      shown = {
        key,
        total,
        count: total,
        at: (i) => {
          const page = Math.floor(i / pageSize);
          // Scrolled back to: it is still known, although nobody asks for it at this moment.
          const entities = byPage.get(page) ?? client.getQueryData(window(page).queryKey)?.entities;
          const entity = entities?.[i % pageSize];
          return entity ? { entity } : undefined;
        },
      };
    }
  }

  const before = useRef<Shown | undefined>(undefined);
  useEffect(() => {
    if (shown) before.current = shown;
  });

  const { hasNextPage, isFetchingNextPage, fetchNextPage } = found;
  const loaded = shown && searching ? (found.data?.pages.length ?? 0) * searchSize : 0;
  useEffect(() => {
    if (searching && loaded > 0 && end + 20 >= loaded && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [searching, loaded, end, hasNextPage, isFetchingNextPage, fetchNextPage]);

  const failed = searching ? found : lists.find((l) => l.error);
  const show = shown ?? before.current;
  return {
    key: show?.key ?? '',
    total: show?.total,
    count: show?.count ?? 0,
    at: show?.at ?? (() => undefined),
    stale: show !== undefined && show.key !== key,
    error: failed?.error ?? null,
    retry: () => void failed?.refetch(),
  };
}
