import type { Problem } from '~/api/client';
import { EntityLink } from '~/entity/EntityLink';
import { Diff } from '~/parts/Diff';
import { Outside } from '~/parts/Outside';
import { Status } from '~/parts/Status';
import { sentence } from '~/parts/sentence';
import { Time } from '~/parts/Time';
import { fixDiff, placeOf } from './fix';
import classes from './ProblemList.module.css';

/** What is wrong, where, and what to do about it. Each can be mended without looking elsewhere. */
export function ProblemList(props: {
  problems: Problem[];
  /** Address of the place, where it is known. */
  urlOf?: (problem: Problem) => string | undefined;
  /** Say of which entity; not on the entity's own page. */
  withEntity?: boolean;
}) {
  return (
    <ul className={classes.list}>
      {props.problems.map((p, i) => (
        <Item key={i} problem={p} url={given(p) || props.urlOf?.(p)} withEntity={props.withEntity} />
      ))}
    </ul>
  );
}

/** Newer servers know the address. */
const given = (p: Problem & { url?: string }) => p.url;

function Item(props: { problem: Problem; url: string | undefined; withEntity?: boolean }) {
  const p = props.problem;
  const error = p.severity === 'SEVERITY_ERROR';
  const place = placeOf(p);
  const diff = fixDiff(p);
  return (
    <li className={classes.item}>
      <div className={classes.level}>
        <Status tone={error ? 'bad' : 'warn'}>{error ? 'Error' : 'Warning'}</Status>
      </div>
      <div className={classes.words}>
        <p className={classes.message}>{sentence(p.message ?? '')}</p>
        {p.hint ? <p className={classes.hint}>{sentence(p.hint)}</p> : null}
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
              {props.url ? <Outside href={props.url}>{place}</Outside> : <span title={place}>{place}</span>}
            </span>
          ) : null}
          <code>{p.code}</code>
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
