import { IconLinkOff, IconWorld } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { OwnerMark } from '~/graph/OwnerMark';
import { Status } from '~/parts/Status';
import classes from './Systems.module.css';
import { SystemTile } from './SystemTile';
import { countSystems, type Domain } from './tree';

/** A domain with its systems, and below them its domains. */
export function DomainSection(props: { domain: Domain; level: number; faults: ReadonlyMap<string, number> }) {
  const { domain: d, faults } = props;
  const Heading = `h${Math.min(props.level, 6)}` as 'h2';
  const count = countSystems([d]);
  const Icon = d.missing ? IconLinkOff : IconWorld;
  return (
    <section className={classes.domain} data-inner={props.level > 2 || undefined} aria-label={`${d.title}, domain`}>
      <div className={classes.domainHead}>
        <Heading className={classes.domainTitle}>
          {d.ref ? <Icon size={17} stroke={1.6} aria-hidden /> : null}
          {d.ref && !d.missing ? (
            <Link to="/catalog/$namespace/$kind/$name" params={d.ref} title={d.key}>
              {d.title}
            </Link>
          ) : (
            <span>{d.title}</span>
          )}
        </Heading>
        <span className="soft">
          {count.toLocaleString('en')} {count === 1 ? 'system' : 'systems'}
        </span>
        {d.owner ? <OwnerMark owner={d.owner} /> : null}
        {d.missing ? <Status tone="bad">There is no such domain</Status> : null}
        <Faults count={faults.get(d.key) ?? 0} />
        {d.description ? (
          <span className={`${classes.description} clip soft`} title={d.description}>
            {d.description}
          </span>
        ) : null}
      </div>
      {d.systems.length > 0 ? (
        <ul className={classes.tiles}>
          {d.systems.map((s) => (
            <SystemTile key={s.key} system={s} level={props.level + 1} faults={faults} />
          ))}
        </ul>
      ) : d.domains.length === 0 ? (
        <p className="soft">No system is in this domain.</p>
      ) : null}
      {d.domains.map((inner) => (
        <DomainSection key={inner.key} domain={inner} level={props.level + 1} faults={faults} />
      ))}
    </section>
  );
}

export function Faults(props: { count: number }) {
  if (props.count === 0) return null;
  return <Status tone="warn">{props.count === 1 ? '1 problem' : `${props.count} problems`}</Status>;
}
