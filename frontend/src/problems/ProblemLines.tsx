import { IconAlertTriangle, IconCircleX } from '@tabler/icons-react';
import type { Problem } from '~/api/client';
import { EntityLink } from '~/entity/EntityLink';
import { Outside } from '~/parts/Outside';
import { Time } from '~/parts/Time';
import { placeOf } from './fix';
import classes from './ProblemLines.module.css';

/** Problems one below the other: what is wrong, how to mend it, and where. */
export function ProblemLines(props: { problems: readonly Problem[] }) {
  return (
    <ul className={classes.list}>
      {props.problems.map((p, i) => (
        <Line key={`${p.source} ${p.repository} ${p.path} ${p.line} ${p.code} ${p.entityRef} ${i}`} problem={p} />
      ))}
    </ul>
  );
}

function Line({ problem: p }: { problem: Problem }) {
  const error = p.severity === 'SEVERITY_ERROR';
  const Icon = error ? IconCircleX : IconAlertTriangle;
  const place = placeOf(p) || p.source;
  return (
    <li className={classes.line}>
      <Icon
        size={16}
        stroke={1.9}
        aria-hidden
        className={classes.icon}
        data-error={error || undefined}
        data-warning={!error || undefined}
      />
      <span className={classes.message}>
        <span className="sr-only">{error ? 'Error: ' : 'Warning: '}</span>
        {p.message}
      </span>
      {p.hint ? <p className={classes.hint}>{p.hint}</p> : null}
      <span className={classes.where}>
        {p.entityRef ? <EntityLink of={p.entityRef} /> : null}
        {place ? <span className={classes.file}>{p.url ? <Outside href={p.url}>{place}</Outside> : place}</span> : null}
        {p.openTime ? (
          <span>
            since <Time at={p.openTime} />
          </span>
        ) : null}
      </span>
    </li>
  );
}
