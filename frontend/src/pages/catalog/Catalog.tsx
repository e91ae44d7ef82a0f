import { Button } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconCode, IconColumns3, IconFilter } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { ApiError } from '~/api/errors';
import { facetsQuery } from '~/api/queries';
import { kindOf } from '~/entity/kinds';
import { Copy } from '~/parts/Copy';
import { Failure } from '~/parts/Failure';
import { MenuButton } from '~/parts/MenuButton';
import { Page } from '~/parts/Page';
import classes from './Catalog.module.css';
import { Chips } from './Chips';
import { readMask } from './columns';
import { EntityTable } from './EntityTable';
import { ExportMenu } from './ExportMenu';
import { FacetPanel } from './FacetPanel';
import type { FacetField } from './facets';
import { KindTabs } from './KindTabs';
import { EmptyCatalog, FaultyFilter, NoMatch } from './Nothing';
import { explicit } from './selection';
import { useCatalog } from './useCatalog';
import { useFacets } from './useFacets';
import { useLevels } from './useLevels';
import { useRows } from './useRows';
import { useSearching } from './useSearching';
import { ViewsMenu } from './ViewsMenu';
import { Words } from './Words';

const Expert = lazy(() => import('./Expert'));
const loadDrawer = () => import('./FacetDrawer');
const FacetDrawer = lazy(loadDrawer);

const address = () => window.location.href;

/** Everything that there is, narrowed by what the address says. */
export default function Catalog() {
  const view = useCatalog();
  const { search, set } = view;
  const wide = useMediaQuery('(min-width: 80em)', true, { getInitialValueInEffect: false });
  const [drawer, setDrawer] = useState<boolean>(); // undefined until it is opened for the first time
  const [expert, setExpert] = useState(Boolean(search.filter));
  const [range, setRange] = useState({ start: 0, end: 40 });

  const chosen = useMemo(() => Object.keys(search.facets ?? {}), [search.facets]);
  const [folds, setFolds] = useState<Record<string, boolean>>({});
  const [limits, setLimits] = useState<Record<string, number>>({});
  const isOpen = useCallback(
    (f: FacetField) => folds[f.field] ?? (!f.folded || chosen.includes(f.field)),
    [folds, chosen],
  );
  const setOpen = useCallback((field: string, open: boolean) => setFolds((now) => ({ ...now, [field]: open })), []);
  const deepen = useCallback((field: string) => setLimits((now) => ({ ...now, [field]: 1000 })), []);
  const kinds = useQuery(facetsQuery(['kind']));
  const input = {
    filter: view.composed.filter,
    words: search.q ?? '',
    orderBy: search.sort ?? '',
    fields: readMask(view.columns.chosen),
  };
  const rows = useRows(input, range.start, range.end);
  const levels = useLevels(rows, range);
  const look = useSearching(input, set);
  const ownFault = rows.error instanceof ApiError && rows.error.field === 'filter' && Boolean(search.filter);
  // A fault of the reader's own filter takes no facets away.
  const countedFor = ownFault ? { ...explicit(search), filter: undefined } : search;
  const counted = useFacets(
    wide || drawer ? view.fields.filter(isOpen) : [],
    chosen,
    view.composeOf(countedFor),
    (except) => view.composeOf(countedFor, except),
    limits,
  );

  const facets = (
    <FacetPanel
      fields={view.fields}
      choices={search.facets}
      searching={Boolean(search.q)}
      set={set}
      counted={counted}
      isOpen={isOpen}
      setOpen={setOpen}
      deepen={deepen}
    />
  );
  const known = useMemo(() => (kinds.data?.facets?.[0]?.values ?? []).flatMap((v) => v.value ?? []), [kinds.data]);
  const what = view.kind ? kindOf(view.kind).many : 'Entities';
  const empty = kinds.data?.totalSize === undefined && kinds.isSuccess;
  const narrowing = chosen.reduce((n, f) => n + (search.facets?.[f]?.length ?? 0), 0);

  return (
    <Page
      title="Catalog"
      wide
      actions={
        empty ? undefined : (
          <>
            <ViewsMenu />
            <Copy text={address} label="Copy a link to this view" words="Copy link" />
            <ExportMenu view={view} />
          </>
        )
      }
    >
      {empty ? (
        <EmptyCatalog />
      ) : (
        <>
          <KindTabs
            kind={view.kind}
            searching={Boolean(search.q)}
            counted={counted.get('kind')}
            known={known}
            total={rows.stale ? undefined : rows.total}
          />
          <div className={classes.columns} data-wide={wide || undefined}>
            {wide ? (
              <aside className={classes.facets} aria-label="Filters">
                {facets}
              </aside>
            ) : null}
            <div className={classes.list}>
              <div className={classes.bar}>
                <Words value={search.q ?? ''} set={look} what={what} />
                {wide ? null : (
                  <Button
                    variant="default"
                    size="xs"
                    leftSection={<IconFilter size={15} stroke={1.7} aria-hidden />}
                    onPointerEnter={() => void loadDrawer()}
                    onClick={() => setDrawer(true)}
                  >
                    Filters{narrowing > 0 ? ` (${narrowing})` : ''}
                  </Button>
                )}
                <Button
                  variant="default"
                  size="xs"
                  aria-expanded={expert}
                  leftSection={<IconCode size={15} stroke={1.7} aria-hidden />}
                  onClick={() => setExpert(!expert)}
                  className={classes.expert}
                >
                  Expert filter
                </Button>
                <span className={classes.columnMenu}>
                  <MenuButton
                    load={() => import('./ColumnItems')}
                    give={{ view }}
                    leftSection={<IconColumns3 size={15} stroke={1.7} aria-hidden />}
                  >
                    Columns
                  </MenuButton>
                </span>
                <p className={classes.total} role="status">
                  {rows.total === undefined
                    ? ''
                    : `${rows.total.toLocaleString('en')} ${rows.total === 1 ? 'result' : 'results'}`}
                </p>
              </div>
              {expert ? (
                <Suspense fallback={<div className={classes.expertGhost} />}>
                  <Expert view={view} counted={counted} close={() => setExpert(false)} />
                </Suspense>
              ) : null}
              <Chips view={view} />
              {rows.error && !(ownFault && expert) ? (
                <Failure error={rows.error} retry={rows.retry} small={rows.total !== undefined} />
              ) : null}
              {rows.total === 0 && !rows.stale ? (
                <NoMatch view={view} />
              ) : rows.total === undefined && rows.error ? (
                ownFault && expert ? (
                  <FaultyFilter view={view} />
                ) : null
              ) : (
                <EntityTable
                  view={view}
                  rows={rows}
                  levels={levels}
                  setRange={setRange}
                  label={`${what}, ${rows.total ?? ''} results`}
                />
              )}
            </div>
          </div>
          {wide || drawer === undefined ? null : (
            <Suspense>
              <FacetDrawer opened={drawer} close={() => setDrawer(false)} total={rows.total}>
                {facets}
              </FacetDrawer>
            </Suspense>
          )}
        </>
      )}
    </Page>
  );
}
