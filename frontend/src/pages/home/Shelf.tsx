import { ActionIcon } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { Entity } from '~/api/client';
import { batchQuery } from '~/api/queries';
import { EntityLink } from '~/entity/EntityLink';
import { groupTitle } from '~/entity/groupTree';
import { formatRef, parseRef, refOf, shortRef } from '~/entity/ref';
import { textIn } from '~/entity/text';
import { Panel } from '~/parts/Panel';
import { tip } from '~/parts/tip';
import { useRecent, useStarred } from '~/shell/remembered';
import classes from './Lines.module.css';

const mostStarred = 30;
const mostRecent = 8;

/** What the reader starred and what they looked at; the names of both come with one request. */
export function Shelves() {
  const { starred, toggle } = useStarred();
  const recent = useRecent();
  const stars = starred.slice(0, mostStarred);
  const seen = recent.filter((r) => !stars.includes(r)).slice(0, mostRecent);
  // Sorted, so that a new star or a new visit of what is known asks for nothing.
  const refs = [...new Set([...stars, ...seen])].filter((r) => parseRef(r)).sort();
  const got = useQuery(batchQuery(refs, 'name,metadata.name,metadata.title,spec.type,spec.profile.displayName'));
  const known = new Map((got.data?.entities ?? []).map((e) => [formatRef(refOf(e)), e]));
  const gone = new Set((got.data?.missing ?? []).map((n) => n.replace(/^entities\//, '')));
  return (
    <>
      <Panel
        title="Starred"
        note={stars.length > 0 ? stars.length : <span>Star what you often need, on its page</span>}
        flush
      >
        {stars.length > 0 ? (
          <ul className={classes.list}>
            {stars.map((r) => (
              <Line key={r} of={r} entity={known.get(r)} gone={gone.has(r)} onRemove={() => toggle(r)} />
            ))}
          </ul>
        ) : null}
      </Panel>
      {seen.length > 0 ? (
        <Panel title="Recently seen" flush>
          <ul className={classes.list}>
            {seen.map((r) => (
              <Line key={r} of={r} entity={known.get(r)} gone={gone.has(r)} />
            ))}
          </ul>
        </Panel>
      ) : null}
    </>
  );
}

function Line(props: { of: string; entity: Entity | undefined; gone: boolean; onRemove?: () => void }) {
  const ref = parseRef(props.of);
  const name = props.entity ? groupTitle(props.entity) : ref ? shortRef(ref) : props.of;
  return (
    <li className={classes.line}>
      {props.gone ? (
        <span className={classes.gone}>
          <EntityLink of={props.of} missing />
        </span>
      ) : (
        <EntityLink of={props.of} title={name} />
      )}
      <span className={classes.end}>{textIn(props.entity?.spec, 'type') || (props.gone ? 'gone' : '')}</span>
      {props.onRemove ? (
        <ActionIcon
          {...tip('Remove the star')}
          variant="subtle"
          color="gray"
          size="sm"
          onClick={props.onRemove}
          aria-label={`Remove the star of ${name}`}
        >
          <IconX size={14} />
        </ActionIcon>
      ) : null}
    </li>
  );
}
