import type { Problem } from '~/api/client';
import { EntityLink } from '~/entity/EntityLink';
import { Diff } from '~/parts/Diff';
import { Outside } from '~/parts/Outside';
import { Status } from '~/parts/Status';
import { Time } from '~/parts/Time';
import { fixDiff, placeOf } from './fix';
import classes from './ProblemList.module.css';

/** What is wrong, where, and what to do about it. Each can be mended without looking elsewhere. */
export function ProblemList(props: {
  problems: readonly Problem[];
  /** Say of which entity; not on the entity's own page. */
  withEntity?: boolean;
  /** For a narrow place: the severity as a sign, and no text to write. */
  short?: boolean;
}) {
  return (
    <ul className={classes.list} data-short={props.short || undefined}>
      {props.problems.map((p, i) => (
        <Item key={i} problem={p} withEntity={props.withEntity} short={props.short} />
      ))}
    </ul>
  );
}

function Item(props: { problem: Problem; withEntity?: boolean; short?: boolean }) {
  const p = props.problem;
  const error = p.severity === 'SEVERITY_ERROR';
  const [tone, words] = error ? (['bad', 'Error'] as const) : (['warn', 'Warning'] as const);
  const place = placeOf(p) || (props.short ? p.source : '');
  const diff = props.short ? '' : fixDiff(p);
  return (
    <li className={classes.item}>
      <div className={classes.level}>
        <Status tone={tone} plain={props.short}>
          {props.short ? <span className="sr-only">{words}: </span> : words}
        </Status>
      </div>
      <div className={classes.words}>
        <p className={classes.message}>{p.message}</p>
        {p.hint ? <p className={classes.hint}>{p.hint}</p> : null}
        {diff ? (
          <div className={classes.fix}>
            <p className={classes.write}>What to write{p.fix?.line ? `, line ${p.fix.line}` : ''}</p>
            <Diff text={diff} label={`What to write in ${p.fix?.path || p.path || 'the file'}`} />
          </div>
        ) : null}
        <p className={classes.meta}>
          {props.withEntity && p.entityRef ? <EntityLink of={p.entityRef} /> : null}
          {place ? (
            <span className={classes.place}>
              {p.url ? <Outside href={p.url}>{place}</Outside> : <span title={place}>{place}</span>}
            </span>
          ) : null}
          {props.short ? null : <code>{p.code}</code>}
          <span>
            {p.goneTime ? (
              <>
                mended <Time at={p.goneTime} />
              </>
            ) : (
              <>
                since <Time at={p.openTime} />
              </>
            )}
          </span>
        </p>
      </div>
    </li>
  );
}
