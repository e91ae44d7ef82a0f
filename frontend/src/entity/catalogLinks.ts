import type { CatalogSearch } from '~/pages/catalog/search';

/** The catalog, narrowed to what somebody owns. */
export function ownedInCatalog(owners: string[], kind?: string): CatalogSearch {
  return { kind, facets: { 'relations.ownedBy': owners.slice(0, 100) } };
}
