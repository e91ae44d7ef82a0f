import { oneOf, type Shape } from '~/cel/write';
import { byteLength } from '~/parts/bytes';
import type { CatalogSearch } from './search';

/** Stands in the address for all kinds, where it must be said. */
export const allKinds = 'all';

/**
 * The kind that is shown; empty for all. An address that says nothing means
 * components, which people look for most; one that selects by something else
 * and names no kind means all of them.
 */
export function kindShown(search: CatalogSearch): string {
  if (search.kind) return search.kind === allKinds ? '' : search.kind;
  return search.q || search.filter || search.facets ? '' : 'component';
}

const written: Record<string, string> = { api: 'API' };

/** A kind as catalogs write it: what is there, or else the usual way. CEL compares with regard to case. */
export function spellings(kind: string, known: string[]): string[] {
  const there = known.filter((k) => k.toLowerCase() === kind.toLowerCase());
  return there.length > 0 ? there : [written[kind] ?? kind.charAt(0).toUpperCase() + kind.slice(1)];
}

export type Composed = {
  filter: string;
  /** Where the reader's own expression begins in filter, in bytes of UTF-8; -1 if there is none. */
  ownStart: number;
};

/** What the address selects, as one CEL expression; the free text is not part of it. */
export function compose(
  search: CatalogSearch,
  options: {
    kindsKnown?: string[];
    shapeOf?: (field: string) => Shape;
    /** Leave out the choices of this facet, or of "kind". */
    except?: string;
  } = {},
): Composed {
  const terms: string[] = [];
  const kind = kindShown(search);
  if (kind && options.except !== 'kind') terms.push(oneOf('kind', spellings(kind, options.kindsKnown ?? [])) ?? '');
  for (const [field, values] of Object.entries(search.facets ?? {}))
    if (field !== options.except) terms.push(oneOf(field, values, options.shapeOf?.(field)) ?? '');
  const chosen = terms.filter(Boolean).join(' && ');
  const own = search.filter?.trim();
  if (!own) return { filter: chosen, ownStart: -1 };
  // Last, so that the index answers the others first. The line break ends a comment of the reader's.
  const before = chosen ? `${chosen} && (` : '(';
  return { filter: `${before}${own}\n)`, ownStart: byteLength(before) };
}

/** Chooses a value of a facet, or takes the choice back. */
export function toggled(search: CatalogSearch, field: string, value: string): CatalogSearch {
  const before = search.facets?.[field] ?? [];
  return withChoice(search, field, before.includes(value) ? before.filter((v) => v !== value) : [...before, value]);
}

/** With exactly these choices of a facet. */
export function withChoice(search: CatalogSearch, field: string, values: string[]): CatalogSearch {
  const { [field]: _, ...others } = search.facets ?? {};
  const facets = values.length > 0 ? { ...others, [field]: values } : others;
  return { ...explicit(search), facets: Object.keys(facets).length > 0 ? facets : undefined };
}

/** Says the kind, so that the next change does not change it by default. */
export function explicit(search: CatalogSearch): CatalogSearch {
  return { ...search, kind: kindShown(search) || allKinds };
}

export function isNarrowed(search: CatalogSearch): boolean {
  return Boolean(search.q || search.filter || search.facets);
}

/** Without all that narrows; kind, order and columns stay. */
export function cleared(search: CatalogSearch): CatalogSearch {
  return { ...explicit(search), q: undefined, filter: undefined, facets: undefined };
}
