import type { EntitySearch } from '~/router';
import { type Direction, defaultRelations, directions, relationTypes } from './relations';

/** What the address says of a graph, with what goes without saying filled in. */
export type GraphView = {
  root: string;
  depth: number;
  direction: Direction;
  relations: string[];
  kinds: string[];
  list: boolean;
};

/** A server must not be asked for more at once than can be looked at. */
export const nodeLimit = 300;
export const maxDepth = 5;

export function viewOf(search: EntitySearch, self: string, selfKind: string): GraphView {
  const relations = (search.relations ?? []).filter((r) => relationTypes.includes(r));
  const depth = Math.round(search.depth ?? (selfKind === 'system' || selfKind === 'domain' ? 1 : 2));
  return {
    root: search.root ?? self,
    depth: Math.min(maxDepth, Math.max(1, depth)),
    direction: directions.find((d) => d === search.direction) ?? 'both',
    relations: relations.length > 0 ? relations : defaultRelations(selfKind),
    kinds: (search.kinds ?? []).map((k) => k.toLowerCase()).sort(),
    list: search.view === 'list',
  };
}
