import { Button, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch, IconZoomQuestion } from '@tabler/icons-react';
import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { facetsQuery, searchQuery } from '~/api/queries';
import { compareKinds, kindOf } from '~/entity/kinds';
import { plural } from '~/entity/owned';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Page } from '~/parts/Page';
import { Rows } from '~/parts/Rows';
import { Views } from '~/parts/Views';
import { Result } from './Result';
import classes from './Search.module.css';

const route = getRouteApi('/search');
const step = 20;
const most = 500;
const fields =
  'name,kind,metadata.name,metadata.title,metadata.description,metadata.tags,spec.type,spec.lifecycle,spec.profile.displayName,relations,facts';

// refs are in lower case, kinds as their authors wrote them
const ofKind = (kind: string | undefined) => (kind ? `ref.startsWith(${JSON.stringify(`${kind}:`)})` : undefined);

/** All that matches some words, best first, with why. */
export default function Search() {
  const { q = '', kind: wanted } = route.useSearch();
  const kind = wanted?.toLowerCase();
  const navigate = route.useNavigate();
  const [size, setSize] = useState(step);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another question begins at its best answers
  useEffect(() => setSize(step), [q, kind]);

  const results = useQuery(searchQuery(q, { filter: ofKind(kind), pageSize: size, fields }));
  const kinds = useKinds(q);
  const total = results.data?.totalSize ?? 0;
  const everything = useQuery(searchQuery(q, { pageSize: 1, fields: 'name' }));

  return (
    <Page title="Search" name={q ? `${q} · Search` : 'Search'}>
      <Box q={q} onChange={(next) => navigate({ search: { q: next || undefined, kind: wanted }, replace: true })} />
      {q.trim() === '' ? (
        <Tips />
      ) : (
        <>
          {(everything.data?.totalSize ?? 0) > 0 ? (
            <Views
              label="Kinds"
              current={kind ?? ''}
              views={[
                {
                  name: '',
                  words: 'All',
                  count: everything.data?.totalSize,
                  search: { q, kind: undefined as string | undefined },
                },
                ...kinds
                  .filter((k) => k.count > 0 || k.kind === kind)
                  .map((k) => ({
                    name: k.kind,
                    words: kindOf(k.kind).many,
                    count: k.count,
                    search: { q, kind: k.kind as string | undefined },
                  })),
              ]}
            />
          ) : null}
          <div role="status" className="sr-only">
            {results.data && !results.isFetching ? plural(total, 'result') : ''}
          </div>
          {results.isError ? (
            <Failure error={results.error} retry={() => results.refetch()} />
          ) : results.isPending ? (
            <Rows label="Results" height={64} />
          ) : total === 0 ? (
            <Nothing q={q} kind={kind} />
          ) : (
            <>
              <ol className={classes.results} aria-label="Results" data-old={results.isPlaceholderData || undefined}>
                {(results.data?.results ?? []).map((r) => (
                  <Result key={r.entity?.name} result={r} />
                ))}
              </ol>
              {size < Math.min(total, most) ? (
                <div className={classes.more}>
                  <Button
                    variant="default"
                    size="xs"
                    loading={results.isPlaceholderData}
                    onClick={() => setSize(Math.min(size < 100 ? size + 2 * step : size + 100, most))}
                  >
                    Show more
                  </Button>
                  <span className="soft">
                    {Math.min(size, total).toLocaleString('en')} of {total.toLocaleString('en')}
                  </span>
                </div>
              ) : total > most ? (
                <p className={classes.end}>
                  These are the best {most} of {total.toLocaleString('en')}. Another word narrows it.
                </p>
              ) : null}
            </>
          )}
        </>
      )}
    </Page>
  );
}

/** How many of each kind match. */
function useKinds(q: string): { kind: string; count: number }[] {
  const kinds = useQuery(facetsQuery(['kind']));
  const names = [...new Set((kinds.data?.facets?.[0]?.values ?? []).map((v) => (v.value ?? '').toLowerCase()))]
    .filter(Boolean)
    .sort(compareKinds)
    .slice(0, 16);
  return useQueries({
    queries: names.map((kind) => ({
      ...searchQuery(q, { filter: ofKind(kind), pageSize: 1, fields: 'name' }),
      placeholderData: keepPreviousData,
    })),
    combine: (all) => all.map((a, i) => ({ kind: names[i] ?? '', count: a.data?.totalSize ?? 0 })),
  });
}

function Box(props: { q: string; onChange: (q: string) => void }) {
  const [typed, setTyped] = useState(props.q);
  const tell = useDebouncedCallback(props.onChange, 120);
  const [said, setSaid] = useState(props.q);
  // The address changed by other means than this field, such as going back.
  if (props.q !== said) {
    setSaid(props.q);
    if (props.q !== typed.trim()) setTyped(props.q);
  }
  return (
    <search>
      <TextInput
        className={classes.box}
        size="md"
        value={typed}
        onChange={(e) => {
          setTyped(e.currentTarget.value);
          tell(e.currentTarget.value.trim());
        }}
        leftSection={<IconSearch size={17} aria-hidden />}
        placeholder="A name, a tag, words of a description, an owner"
        aria-label="Search the catalog"
        autoFocus={props.q === ''}
        autoComplete="off"
        spellCheck={false}
        maxLength={1000}
      />
    </search>
  );
}

function Nothing(props: { q: string; kind: string | undefined }) {
  return (
    <Empty
      icon={IconZoomQuestion}
      title={`${props.kind ? `No ${kindOf(props.kind).one.toLowerCase()}` : 'Nothing'} matches “${props.q}”`}
    >
      <p>
        All words must match, the last may be the beginning of one. Leave one out, or look for another name of it.
        {props.kind ? ' There may be something of another kind.' : ''}
      </p>
    </Empty>
  );
}

function Tips() {
  return (
    <Empty icon={IconSearch} title="Search everything in the catalog">
      <p>Names, titles, descriptions, tags, owners and types are searched; all words must match.</p>
      <p>
        From anywhere, ⌘K or Ctrl+K searches while you type, and a ref such as <code>component:default/checkout</code>{' '}
        goes straight there.
      </p>
    </Empty>
  );
}
