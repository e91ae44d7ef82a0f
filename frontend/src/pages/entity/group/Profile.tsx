import { Fragment, type ReactNode, useMemo } from 'react';
import type { Entity } from '~/api/client';
import { Avatar } from '~/entity/Avatar';
import { EntityLink } from '~/entity/EntityLink';
import { buildForest, findNode, groupTitle, readGroups } from '~/entity/groupTree';
import { leadOf } from '~/entity/lead';
import { relationsOf } from '~/entity/read';
import { formatRef, type Ref, shortRef } from '~/entity/ref';
import { textIn } from '~/entity/text';
import { Outside } from '~/parts/Outside';
import { Panel } from '~/parts/Panel';
import classes from './GroupOverview.module.css';

/** Who a group or user is. */
export function Profile(props: { entity: Entity; of: Ref; groups: Entity[] | undefined }) {
  const { entity } = props;
  const self = formatRef(props.of);
  const email = textIn(entity.spec, 'profile', 'email');
  const type = textIn(entity.spec, 'type');
  const lead = leadOf(entity);
  const leadMissing = relationsOf(entity, 'leadBy').some((r) => r.targetRef === lead && r.targetExists === false);
  const chain = useMemo(
    () => findNode(buildForest(readGroups(props.groups ?? [])), self)?.above.map((n) => n.group) ?? [],
    [props.groups, self],
  );
  // Until all groups are there the nearest will do.
  const parents = relationsOf(entity, 'childOf');
  const title = groupTitle(entity);
  const facts: [string, ReactNode][] = [];
  if (type) facts.push(['Type', type]);
  if (email)
    facts.push([
      'Email',
      <Outside key="e" href={`mailto:${email}`} icon={false}>
        {email}
      </Outside>,
    ]);
  if (lead) facts.push(['Lead', <EntityLink key="l" of={lead} missing={leadMissing} />]);
  if (chain.length > 0)
    facts.push([
      'Part of',
      <span key="p" className={classes.chain}>
        {chain.map((g, i) => (
          <Fragment key={g.ref}>
            {i > 0 ? <span aria-hidden>›</span> : null}
            <EntityLink of={g.ref} title={g.title} plain />
          </Fragment>
        ))}
      </span>,
    ]);
  else if (parents.length > 0)
    facts.push([
      'Part of',
      <span key="p" className={classes.chain}>
        {parents.map((r) => (
          <EntityLink key={r.targetRef} of={r.targetRef ?? ''} missing={r.targetExists === false} plain />
        ))}
      </span>,
    ]);
  return (
    <Panel>
      <div className={classes.who}>
        <Avatar name={title} of={self} large square={props.of.kind !== 'user'} />
        <div className={classes.names}>
          <div className={classes.display}>{title}</div>
          <div className="soft">{shortRef(props.of)}</div>
        </div>
      </div>
      {facts.length > 0 ? (
        <dl className={classes.facts}>
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      ) : null}
    </Panel>
  );
}
