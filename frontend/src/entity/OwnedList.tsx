import { Skeleton, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { Entity } from '~/api/client';
import { batchQuery } from '~/api/queries';
import { Status } from '~/parts/Status';
import { ownedInCatalog } from './catalogLinks';
import { EntityLink } from './EntityLink';
import { groupTitle } from './groupTree';
import { kindOf } from './kinds';
import classes from './OwnedList.module.css';
import { healthByKind, healthWords, type OwnedRow } from './owned';
import { formatRef, parseRef, refOf, shortRef } from './ref';
import { textIn } from './text';

const few = 12;
const many = 500;

/** What somebody owns: how much of each kind, and each with its health, those with problems first. */
export function OwnedList(props: { rows: readonly OwnedRow[]; owners: string[]; self: string; loading?: boolean }) {
  const [kind, setKind] = useState('');
  const [all, setAll] = useState(false);
  const kinds = useMemo(() => healthByKind(props.rows), [props.rows]);
  const chosen = kinds.some((k) => k.kind === kind) ? kind : '';
  const rows = chosen ? props.rows.filter((r) => r.kind === chosen) : props.rows;
  const shown = rows.slice(0, all ? many : few);
  const details = useQuery(
    batchQuery(
      shown.map((r) => r.ref),
      'name,metadata.name,metadata.title,spec.type,spec.lifecycle,origin.inferred',
    ),
  );
  const known = new Map((details.data?.entities ?? []).map((e) => [formatRef(refOf(e)), e]));
  if (props.loading) return <OwnedLoading />;
  return (
    <>
      {kinds.length > 1 ? (
        <fieldset className={classes.kinds} aria-label="Show only one kind">
          {kinds.map((k) => {
            const words = kindOf(k.kind);
            return (
              <UnstyledButton
                key={k.kind}
                className={classes.kind}
                aria-pressed={k.kind === chosen}
                onClick={() => setKind(k.kind === chosen ? '' : k.kind)}
              >
                <words.icon size={14} stroke={1.7} aria-hidden />
                {k.total === 1 ? words.one : words.many}
                <span className={classes.n}>{k.total.toLocaleString('en')}</span>
              </UnstyledButton>
            );
          })}
        </fieldset>
      ) : null}
      <ul className={classes.list}>
        {shown.map((r) => (
          <Row key={r.ref} row={r} entity={known.get(r.ref)} self={props.self} />
        ))}
      </ul>
      {rows.length > few ? (
        <div className={classes.more}>
          {rows.length <= many || !all ? (
            <UnstyledButton c="var(--wp-accent)" fz="inherit" onClick={() => setAll(!all)}>
              {all ? 'Show fewer' : `Show ${rows.length > many ? `the first ${many}` : `all ${rows.length}`}`}
            </UnstyledButton>
          ) : null}
          <Link to="/catalog" search={ownedInCatalog(props.owners, chosen || undefined)}>
            Open in the catalog
          </Link>
        </div>
      ) : null}
    </>
  );
}

function Row({ row, entity, self }: { row: OwnedRow; entity: Entity | undefined; self: string }) {
  const owner = row.owner !== self ? parseRef(row.owner) : undefined;
  const about = [
    textIn(entity?.spec, 'type'),
    textIn(entity?.spec, 'lifecycle'),
    entity?.origin?.inferred ? 'inferred' : '',
    owner ? `of ${shortRef(owner)}` : '',
  ].filter(Boolean);
  return (
    <li className={classes.row}>
      <span className={classes.name}>
        <EntityLink of={row.ref} title={entity ? groupTitle(entity) : undefined} />
        <span className={`${classes.about} clip`} title={about.join(' · ')}>
          {about.join(' · ')}
        </span>
      </span>
      <Status tone={row.health} plain>
        {healthWords(row)}
      </Status>
    </li>
  );
}

export function OwnedLoading() {
  return (
    <ul className={classes.list} aria-busy aria-label="What is owned is loading">
      {Array.from({ length: 8 }, (_, i) => (
        <li key={i} className={classes.row}>
          <Skeleton height={10} width={`${22 + ((i * 37) % 30)}%`} />
          <Skeleton height={10} width={64} />
        </li>
      ))}
    </ul>
  );
}
