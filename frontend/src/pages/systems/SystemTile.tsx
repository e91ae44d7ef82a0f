import { UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconChevronRight, IconTopologyStar3 } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { kindOf } from '~/entity/kinds';
import { OwnerMark } from '~/graph/OwnerMark';
import { Faults } from './DomainSection';
import { Parts } from './Parts';
import classes from './Systems.module.css';
import type { System } from './tree';

/** A system: whose it is and how much there is in it; its parts when it is opened. */
export function SystemTile(props: { system: System; level: number; faults: ReadonlyMap<string, number> }) {
  const s = props.system;
  const [open, setOpen] = useState(false);
  const id = useId();
  const Heading = `h${Math.min(props.level, 6)}` as 'h3';
  const kinds = ['component', 'api', 'resource'].filter((k) => (s.counts[k] ?? 0) > 0);
  const Icon = open ? IconChevronDown : IconChevronRight;
  return (
    <li className={classes.tile} data-open={open || undefined}>
      <div className={classes.tileHead}>
        <Heading className={classes.tileTitle}>
          <Link to="/catalog/$namespace/$kind/$name" params={s.ref} title={s.key} className="clip">
            {s.title}
          </Link>
        </Heading>
        <Faults count={props.faults.get(s.key) ?? 0} />
      </div>
      <p className={`${classes.about} clip soft`} title={s.description || undefined}>
        {s.description || s.key}
      </p>
      <div className={classes.owner}>
        {s.owner ? <OwnerMark owner={s.owner} /> : <span className="soft">No owner</span>}
      </div>
      <div className={classes.foot}>
        {kinds.length > 0 ? (
          <UnstyledButton
            className={classes.toggle}
            aria-expanded={open}
            aria-controls={open ? id : undefined}
            onClick={() => setOpen(!open)}
          >
            <Icon size={14} aria-hidden />
            <span className="sr-only">Parts of {s.title}: </span>
            {kinds.map((k) => {
              const kind = kindOf(k);
              const n = s.counts[k] ?? 0;
              const words = n === 1 ? kind.one : kind.many;
              return (
                <span key={k} className={classes.count} title={`${n} ${words}`}>
                  <kind.icon size={14} stroke={1.6} aria-hidden />
                  {n}
                  <span className="sr-only"> {words}, </span>
                </span>
              );
            })}
          </UnstyledButton>
        ) : (
          <span className="soft">No parts</span>
        )}
        <Link
          to="/catalog/$namespace/$kind/$name/$tab"
          params={{ ...s.ref, tab: 'dependencies' }}
          className={classes.diagram}
          title={`Diagram of ${s.title}`}
        >
          <IconTopologyStar3 size={15} stroke={1.6} aria-hidden />
          <span className="sr-only">Diagram of {s.title}</span>
        </Link>
      </div>
      {open ? (
        <div id={id} className={classes.parts}>
          <Parts of={s.key} faults={props.faults} />
        </div>
      ) : null}
    </li>
  );
}
