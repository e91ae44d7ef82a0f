/** What the address of the catalog list says; everything that one sees follows from it. */
export type CatalogSearch = {
  /** In lower case; absent for all kinds. */
  kind?: string;
  /** Free text. */
  q?: string;
  /** A CEL expression of the reader's own, beside the facets. */
  filter?: string;
  /** Chosen values by field, such as spec.type. */
  facets?: Record<string, string[]>;
  /** As order_by. */
  sort?: string;
  columns?: string[];
};

export function catalogSearch(s: Record<string, unknown>): CatalogSearch {
  const text = (v: unknown) => (typeof v === 'string' && v !== '' ? v : undefined);
  const list = (v: unknown) =>
    Array.isArray(v) ? v.filter((x): x is string => typeof x === 'string' && x !== '').slice(0, 100) : undefined;
  const facets: Record<string, string[]> = {};
  if (typeof s.facets === 'object' && s.facets !== null)
    for (const [field, values] of Object.entries(s.facets)) {
      const chosen = list(values);
      if (chosen && chosen.length > 0) facets[field] = chosen;
    }
  return {
    kind: text(s.kind)?.toLowerCase(),
    q: text(s.q),
    filter: text(s.filter),
    facets: Object.keys(facets).length > 0 ? facets : undefined,
    sort: text(s.sort),
    columns: list(s.columns),
  };
}
