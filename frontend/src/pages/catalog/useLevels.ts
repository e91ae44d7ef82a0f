import { useQueries } from '@tanstack/react-query';
import { levelsQuery } from '~/api/queries';
import type { Range } from './EntityTable';
import type { Rows } from './useRows';
import { pagesOf } from './windows';

export type Level = 'error' | 'warning';
export type Levels = ReadonlyMap<string, Level>;

/** Rows that are asked about at once: their names must fit in an address. */
const piece = 50;

/**
 * How bad what is wrong with the rows around [start, end) is, by ref. It is no part of
 * an entity: a filter alone tells it, so it is asked for by the names of these rows,
 * which costs the same however many there are.
 */
export function useLevels(rows: Rows, range: Range): Levels {
  const asked = rows.stale ? [] : pagesOf(range.start, Math.min(range.end, rows.count), piece);
  const answers = useQueries({
    queries: asked.map((page) => {
      const names = new Set<string>();
      for (let i = page * piece; i < (page + 1) * piece; i++) {
        const name = rows.at(i)?.entity.metadata?.name;
        if (name) names.add(name);
      }
      return levelsQuery([...names].sort());
    }),
  });
  return new Map(answers.flatMap((a) => [...(a.data ?? [])]));
}
