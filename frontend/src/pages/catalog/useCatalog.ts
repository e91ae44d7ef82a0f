import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import type { FactType } from '~/api/client';
import { facetsQuery, pluginsQuery } from '~/api/queries';
import type { Shape } from '~/cel/write';
import { allColumns, type Column, chosenColumns } from './columns';
import { type FacetField, facetFields, withChosen } from './facets';
import type { CatalogSearch } from './search';
import { type Composed, compose, kindShown } from './selection';

/** All that follows from the address and from what the server offers. */
export type CatalogView = {
  search: CatalogSearch;
  /** In lower case; empty for all. */
  kind: string;
  set: (change: (now: CatalogSearch) => CatalogSearch, options?: { push?: boolean }) => void;
  facts: FactType[];
  fields: FacetField[];
  composed: Composed;
  /** The filter of another search, of all but one facet's choice. */
  composeOf: (search: CatalogSearch, except?: string) => string;
  columns: { all: Column[]; chosen: Column[] };
};

export function useCatalog(): CatalogView {
  const search = useSearch({ from: '/catalog' });
  const navigate = useNavigate({ from: '/catalog' });
  const set = useCallback<CatalogView['set']>(
    // Each key press is not a step to go back by; where one looks, what is chosen, is.
    (change, options) => navigate({ search: change, replace: !options?.push, resetScroll: false }),
    [navigate],
  );
  const kind = kindShown(search);

  const plugins = useQuery(pluginsQuery).data?.plugins;
  const facts = useMemo(
    () => (plugins ?? []).flatMap((p) => p.descriptor?.facts ?? []).filter((f) => f.display !== 'hidden'),
    [plugins],
  );
  const kinds = useQuery(facetsQuery(['kind'])).data?.facets?.[0]?.values;

  const fields = useMemo(
    () => withChosen(facetFields(facts, kind), Object.keys(search.facets ?? {})),
    [facts, kind, search.facets],
  );
  const composeOf = useCallback(
    (other: CatalogSearch, except?: string) => compose(other, { ...composing(fields, kinds), except }).filter,
    [fields, kinds],
  );
  const composed = useMemo(() => compose(search, composing(fields, kinds)), [search, fields, kinds]);
  const columns = useMemo(() => {
    const all = allColumns(kind, facts);
    return { all, chosen: chosenColumns(all, search.columns) };
  }, [kind, facts, search.columns]);

  return { search, kind, set, facts, fields, composed, composeOf, columns };
}

function composing(fields: FacetField[], kinds: { value?: string }[] | undefined) {
  return {
    kindsKnown: (kinds ?? []).flatMap((k) => k.value ?? []),
    shapeOf: (field: string): Shape => fields.find((f) => f.field === field)?.shape ?? 'text',
  };
}
