import { IconAlertTriangle, IconCircleX, IconInfoCircle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Entity } from '~/api/client';
import { factsQuery, problemsQuery } from '~/api/queries';
import { formatRef, type Ref } from '~/entity/ref';
import { declaration } from './declaration';
import classes from './Warnings.module.css';

/** What one should know before one believes the page. Only when there is something. */
export function Warnings({ entity, entityRef }: { entity: Entity; entityRef: Ref }) {
  const { data: problems } = useQuery(problemsQuery({ entityRef: formatRef(entityRef), pageSize: 100 }));
  const { data: facts } = useQuery(factsQuery(entityRef));
  const all = problems?.problems ?? [];
  const errors = all.filter((p) => p.severity === 'SEVERITY_ERROR').length;
  const missing = (entity.relations ?? []).filter((r) => !r.targetExists).length;
  const stale = (facts?.facts ?? []).filter((f) => f.stale && f.type?.display !== 'hidden');
  const orphan = entity.metadata?.annotations?.['backstage.io/orphan'] === 'true';
  const warnings: ReactNode[] = [];

  if (entity.origin?.inferred)
    warnings.push(
      <Warning tone="info" key="inferred">
        Nobody has declared it: it was inferred from {entity.origin.repository || 'what its source shows'}. To declare
        it, commit a <code>catalog-info.yaml</code>.
        <details className={classes.how}>
          <summary>What to write</summary>
          <pre>{declaration(entity)}</pre>
        </details>
      </Warning>,
    );
  if (orphan)
    warnings.push(
      <Warning tone="warn" key="orphan">
        Orphan: no location names the file any more from which it came. It stays as it was.
      </Warning>,
    );
  if (all.length > 0)
    warnings.push(
      <Warning tone={errors > 0 ? 'bad' : 'warn'} key="problems">
        <TabLink of={entityRef} tab="problems">
          {count(all.length, 'problem')}
        </TabLink>
        {errors > 0 && errors < all.length ? `, ${count(errors, 'error')} among them` : ''}
        {all[0]?.message ? `: ${all[0].message}` : ''}
        {all.length > 1 ? `, and ${all.length - 1} more` : ''}
      </Warning>,
    );
  if (missing > 0 && !all.some((p) => p.code === 'dangling-relation'))
    warnings.push(
      <Warning tone="warn" key="missing">
        {missing === 1 ? 'One relation leads' : `${missing} relations lead`} to what is not in the catalog.
      </Warning>,
    );
  if (stale.length > 0)
    warnings.push(
      <Warning tone="warn" key="stale">
        {stale.length === 1
          ? `“${stale[0]?.type?.title || stale[0]?.key}” may be out of date.`
          : `${stale.length} facts from plugins may be out of date.`}
      </Warning>,
    );
  return warnings.length > 0 ? <ul className={classes.strip}>{warnings}</ul> : null;
}

const icons = { bad: IconCircleX, warn: IconAlertTriangle, info: IconInfoCircle };
const levels = { bad: 'Error: ', warn: 'Warning: ', info: '' };

function Warning(props: { tone: 'bad' | 'warn' | 'info'; children: ReactNode }) {
  const Icon = icons[props.tone];
  return (
    <li data-tone={props.tone}>
      <Icon size={16} stroke={1.8} aria-hidden />
      <div>
        <span className="sr-only">{levels[props.tone]}</span>
        {props.children}
      </div>
    </li>
  );
}

function TabLink(props: { of: Ref; tab: string; children: ReactNode }) {
  return (
    <Link
      to="/catalog/$namespace/$kind/$name/$tab"
      params={{ ...props.of, tab: props.tab }}
      resetScroll={false}
      className={classes.link}
    >
      {props.children}
    </Link>
  );
}

const count = (n: number, word: string) => `${n}${n === 100 ? '+' : ''} ${word}${n === 1 ? '' : 's'}`;
