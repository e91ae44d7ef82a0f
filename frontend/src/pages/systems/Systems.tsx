import { Button, Skeleton, TextInput } from '@mantine/core';
import { IconComponents, IconSearch } from '@tabler/icons-react';
import { useQueries, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useDeferredValue, useMemo } from 'react';
import { allEntitiesQuery, facetsQuery, problemsQuery } from '~/api/queries';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Page } from '~/parts/Page';
import { DomainSection } from './DomainSection';
import classes from './Systems.module.css';
import { countSystems, countsOf, searchTree, treeOf } from './tree';
import { Unassigned } from './Unassigned';

const fields = 'name,metadata.name,metadata.title,metadata.description,spec,facts';
const partKinds = [
  { kind: 'component', written: 'Component' },
  { kind: 'api', written: 'API' },
  { kind: 'resource', written: 'Resource' },
];

/** The map of the organisation's software: domains, their systems, and the parts of these. */
export default function Systems() {
  const { q = '' } = useSearch({ from: '/systems' });
  const navigate = useNavigate();
  const domains = useQuery(allEntitiesQuery('entity.kind == "Domain"', fields));
  const systems = useQuery(allEntitiesQuery('entity.kind == "System"', fields));
  const facets = useQueries({
    queries: partKinds.map((k) => facetsQuery(['relations.partOf'], `entity.kind == "${k.written}"`, 1000)),
    combine: (all) => all.map((r) => r.data),
  });
  const problems = useQuery(problemsQuery({ pageSize: 1000 }));

  const tree = useMemo(() => {
    const counts = countsOf(partKinds.map((k, i) => ({ kind: k.kind, facet: facets[i]?.facets?.[0] })));
    return treeOf(domains.data?.entities ?? [], systems.data?.entities ?? [], counts);
  }, [domains.data, systems.data, facets]);
  const faults = useMemo(() => {
    const out = new Map<string, number>();
    for (const p of problems.data?.problems ?? [])
      if (p.entityRef) out.set(p.entityRef, (out.get(p.entityRef) ?? 0) + 1);
    return out;
  }, [problems.data]);
  const words = useDeferredValue(q);
  const shown = useMemo(() => searchTree(tree, words), [tree, words]);

  const error = systems.error ?? domains.error;
  const ready = systems.data !== undefined && domains.data !== undefined;
  const total = systems.data?.total ?? 0;
  const loaded = systems.data?.entities.length ?? 0;
  const search = (text: string) => void navigate({ to: '/systems', search: { q: text || undefined }, replace: true });

  return (
    <Page
      title="Systems"
      wide
      about="Domains, the systems in them, and the components, APIs and resources that make up a system."
      actions={
        <>
          <span className="soft num" role="status">
            {ready
              ? words
                ? `${countSystems(shown).toLocaleString('en')} of ${total.toLocaleString('en')} systems`
                : `${total.toLocaleString('en')} systems in ${(domains.data?.total ?? 0).toLocaleString('en')} domains`
              : ''}
          </span>
          <TextInput
            aria-label="Filter systems"
            placeholder="Filter by name or owner"
            leftSection={<IconSearch size={14} aria-hidden />}
            value={q}
            onChange={(e) => search(e.currentTarget.value)}
          />
        </>
      }
    >
      {!ready && error ? <Failure error={error} retry={() => void systems.refetch()} /> : null}
      {!ready && !error ? <Waiting /> : null}
      {ready && loaded < total ? (
        <p role="status" className={classes.cut}>
          Only {loaded.toLocaleString('en')} of {total.toLocaleString('en')} systems are shown. The others are in the
          catalog.
        </p>
      ) : null}
      {shown.map((d) => (
        <DomainSection key={d.key} domain={d} level={2} faults={faults} />
      ))}
      {ready && shown.length === 0 ? (
        words ? (
          <Empty
            icon={IconSearch}
            title="No system or domain matches"
            actions={
              <Button size="xs" variant="default" onClick={() => search('')}>
                Show all
              </Button>
            }
          />
        ) : (
          <Empty icon={IconComponents} title="There are no systems yet">
            <p>
              Declare an entity of kind System and name it in <code>spec.system</code> of its components, APIs and
              resources.
            </p>
          </Empty>
        )
      ) : null}
      {ready && !words ? <Unassigned /> : null}
    </Page>
  );
}

function Waiting() {
  return (
    <div role="status" aria-label="Systems are loading">
      {[5, 3, 4].map((n, i) => (
        <div key={i} className={classes.domain}>
          <Skeleton height={16} width={160} mb={14} mt={4} />
          <div className={classes.tiles}>
            {Array.from({ length: n }, (_, j) => (
              <Skeleton key={j} height={112} radius="lg" />
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}
