import { Button, Skeleton } from '@mantine/core';
import { IconTrash, IconZoomQuestion } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { ApiError } from '~/api/errors';
import { revisionsQuery, searchQuery } from '~/api/queries';
import { EntityLink } from '~/entity/EntityLink';
import { kindOf } from '~/entity/kinds';
import { titleOf } from '~/entity/read';
import { formatRef, type Ref, refOf } from '~/entity/ref';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Page } from '~/parts/Page';
import { Panel } from '~/parts/Panel';
import { Time } from '~/parts/Time';
import type { EntitySearch } from '~/router';
import HistoryTab from '../history/HistoryTab';
import { causeWords } from '../history/words';
import classes from './Gone.module.css';

const EntityCode = lazy(() => import('../raw/EntityCode'));

/** There is no such entity: was there one, has it another name, or was the address mistyped? */
export default function Gone({ entityRef }: { entityRef: Ref }) {
  const search: EntitySearch = useSearch({ strict: false });
  const looksBack = Boolean(search.asOf || search.from || search.to);
  const { data, error, isPending, refetch } = useQuery(revisionsQuery(entityRef, { pageSize: 20, withEntities: true }));
  if (isPending)
    return (
      <Page title={entityRef.name}>
        <Skeleton height={220} radius="lg" />
      </Page>
    );
  const last = data?.revisions?.[0];
  if (error && !(error instanceof ApiError && error.code === 'NOT_FOUND'))
    return (
      <Page title={entityRef.name}>
        <Failure error={error} retry={() => void refetch()} />
      </Page>
    );
  if (!last) return <Unknown entityRef={entityRef} />;

  const entity = last.entity ?? data.revisions?.find((r) => r.entity)?.entity;
  const name = entity ? titleOf(entity) : entityRef.name;
  const cause = causeWords(last.cause);
  return (
    <Page title={name} name={`${name} (removed)`} about={<code>{formatRef(entityRef)}</code>}>
      <div className={classes.page}>
        <Panel>
          <Empty
            icon={IconTrash}
            title={last.renamedRef ? 'It has another name now' : 'It was removed from the catalog'}
            actions={
              last.renamedRef ? (
                <Button component={Link} to={pathOf(last.renamedRef)} size="xs">
                  Go to {last.renamedRef}
                </Button>
              ) : undefined
            }
          >
            <p>
              {last.renamedRef ? 'Renamed' : 'Removed'} <Time at={last.time} />
              {cause ? `, by ${cause}` : ''}
              {last.origin?.source ? `, from ${last.origin.source}` : ''}
              {last.origin?.repository ? ` (${last.origin.repository})` : ''}.
            </p>
            {last.renamedRef ? null : (
              <p>What it was is kept below. It comes back when a catalog file declares it again.</p>
            )}
          </Empty>
        </Panel>
        {entity && !looksBack ? (
          <Panel title="As it last was">
            <Suspense fallback={<Skeleton height={200} />}>
              <EntityCode entity={entity} format="yaml" />
            </Suspense>
          </Panel>
        ) : null}
        <HistoryTab entityRef={entityRef} />
      </div>
    </Page>
  );
}

function Unknown({ entityRef }: { entityRef: Ref }) {
  const words = entityRef.name.split(/[-_.]+/).filter(Boolean);
  // All words at first; then any of them is near enough.
  const { data: near } = useQuery(searchQuery(words.join(' '), { pageSize: 6 }));
  const none = near !== undefined && (near.results ?? []).length === 0;
  const longest = [...words].sort((a, b) => b.length - a.length)[0] ?? '';
  const { data: wide } = useQuery({
    ...searchQuery(longest.slice(0, Math.max(3, Math.ceil(longest.length * 0.7))), { pageSize: 6 }),
    enabled: none && longest.length > 2,
  });
  const results = (none ? wide?.results : near?.results) ?? [];
  return (
    <Page title={`No ${kindOf(entityRef.kind).one.toLowerCase()} of this name`} name="Not in the catalog">
      <Panel>
        <Empty
          icon={IconZoomQuestion}
          title={`There is no ${formatRef(entityRef)} in the catalog`}
          actions={
            <>
              <Button component={Link} to={`/search?q=${encodeURIComponent(words.join(' '))}`} size="xs">
                Search for it
              </Button>
              <Button component={Link} to="/problems" size="xs" variant="default">
                Files that could not be read
              </Button>
            </>
          }
        >
          <p>And there never was, as far as this Waypost remembers.</p>
        </Empty>
        {results.length > 0 ? (
          <div className={classes.near}>
            <h2>Did you mean</h2>
            <ul>
              {results.map(({ entity }) =>
                entity ? (
                  <li key={entity.name}>
                    <EntityLink of={refOf(entity)} title={titleOf(entity)} />
                    <code className="soft">{formatRef(refOf(entity))}</code>
                  </li>
                ) : null,
              )}
            </ul>
          </div>
        ) : null}
      </Panel>
    </Page>
  );
}

function pathOf(ref: string): string {
  const [kind = '', rest = ''] = ref.split(':');
  const [namespace = '', name = ''] = rest.split('/');
  return `/catalog/${encodeURIComponent(namespace)}/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`;
}
