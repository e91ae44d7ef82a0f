import { Switch, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { Entity } from '~/api/client';
import { entitiesQuery } from '~/api/queries';
import { Avatar } from '~/entity/Avatar';
import { EntityLink } from '~/entity/EntityLink';
import { buildForest, findNode, groupTitle, readGroups, refsBelow } from '~/entity/groupTree';
import { leadOf } from '~/entity/lead';
import { relationsOf } from '~/entity/read';
import { formatRef, parseRef, type Ref, refOf, shortRef } from '~/entity/ref';
import { Panel } from '~/parts/Panel';
import { Status } from '~/parts/Status';
import classes from './GroupOverview.module.css';

const few = 12;
const most = 500;

/** Who is in a group, and, if asked for, in those below it. */
export function Members(props: { group: Entity; of: Ref; groups: Entity[] | undefined }) {
  const [through, setThrough] = useState(false);
  const [all, setAll] = useState(false);
  const self = formatRef(props.of);
  const below = useMemo(() => {
    const found = findNode(buildForest(readGroups(props.groups ?? [])), self);
    return found ? refsBelow(found.node) : [];
  }, [props.groups, self]);
  const refs = [self, ...(through ? below : [])].slice(0, 150);
  const members = useQuery(
    entitiesQuery({
      filter: `entity.kind == "User" && relations.memberOf.exists(g, g in [${refs.map((r) => JSON.stringify(r)).join(', ')}])`,
      pageSize: most,
      fields: 'name,metadata.name,metadata.title,spec.profile.displayName',
    }),
  );
  const direct = relationsOf(props.group, 'hasMember');
  const isDirect = new Set(direct.map((r) => r.targetRef));
  const missing = direct.filter((r) => r.targetExists === false);
  const lead = leadOf(props.group);
  const people = (members.data?.entities ?? [])
    .map((e) => ({ ref: formatRef(refOf(e)), title: groupTitle(e) }))
    .sort(
      (a, b) =>
        Number(b.ref === lead) - Number(a.ref === lead) ||
        Number(isDirect.has(b.ref)) - Number(isDirect.has(a.ref)) ||
        a.title.localeCompare(b.title, 'en', { numeric: true }),
    );
  const total = members.data?.totalSize ?? people.length;
  // Of the first answer nothing is known but how many there are.
  const shown = members.data
    ? people.slice(0, all ? most : few)
    : direct.slice(0, few).map((r) => {
        const ref = parseRef(r.targetRef ?? '');
        return { ref: r.targetRef ?? '', title: ref ? shortRef(ref) : '' };
      });
  return (
    <Panel
      title="Members"
      note={
        members.data ? (total === 0 && missing.length === 0 ? 'Nobody' : total.toLocaleString('en')) : direct.length
      }
      actions={
        below.length > 0 ? (
          <Switch
            size="xs"
            checked={through}
            onChange={(e) => setThrough(e.currentTarget.checked)}
            label="Through child teams"
          />
        ) : null
      }
      flush
    >
      {shown.length + missing.length === 0 ? null : (
        <>
          <ul className={classes.people}>
            {shown.map((p) => (
              <li key={p.ref} className={classes.person}>
                <Avatar name={p.title} of={p.ref} />
                <EntityLink of={p.ref} title={p.title} plain />
                {p.ref === lead ? (
                  <Status tone="info" plain icon={undefined}>
                    Lead
                  </Status>
                ) : null}
                {through && !isDirect.has(p.ref) ? <span className={classes.end}>child team</span> : null}
              </li>
            ))}
            {missing.map((r) => (
              <li key={r.targetRef} className={classes.person}>
                <EntityLink of={r.targetRef ?? ''} missing />
              </li>
            ))}
          </ul>
          {people.length > few ? (
            <div className={classes.more}>
              <UnstyledButton c="var(--wp-accent)" fz="inherit" onClick={() => setAll(!all)}>
                {all ? 'Show fewer' : `Show all ${Math.min(total, most).toLocaleString('en')}`}
              </UnstyledButton>
            </div>
          ) : null}
        </>
      )}
    </Panel>
  );
}
