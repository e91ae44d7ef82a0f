import { Outside } from '~/parts/Outside';
import classes from './Facts.module.css';

type Evidence = {
  kind?: string;
  text?: string;
  url?: string;
  repository?: string;
  path?: string;
  line?: number;
  commit?: string;
};

/** Reasons, each with the place at which one can see it for oneself. */
export function EvidenceList(props: { of: Evidence[] | undefined; limit?: number }) {
  const all = props.of ?? [];
  const limit = props.limit ?? 20;
  if (all.length === 0) return null;
  return (
    <ul className={classes.evidence}>
      {all.slice(0, limit).map((e, i) => (
        <li key={i}>
          {e.text ? <span>{e.text} </span> : null}
          <Place of={e} />
        </li>
      ))}
      {all.length > limit ? <li>and {all.length - limit} more</li> : null}
    </ul>
  );
}

function Place({ of }: { of: Evidence }) {
  const where = [of.repository, of.path].filter(Boolean).join('/') + (of.path && of.line ? `:${of.line}` : '');
  if (of.url) return <Outside href={of.url}>{shorten(where) || (of.text ? 'look' : of.url)}</Outside>;
  return where ? <span className={classes.place}>{shorten(where)}</span> : null;
}

/** The end of a long path tells it apart. */
const shorten = (where: string) => (where.length > 60 ? `…${where.slice(-58)}` : where);
