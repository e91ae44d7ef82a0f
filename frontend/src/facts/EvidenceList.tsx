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
export function EvidenceList(props: {
  of: Evidence[] | undefined;
  limit?: number;
  /** Only the place; what it shows is said on hover. */
  brief?: boolean;
}) {
  const all = props.of ?? [];
  const limit = props.limit ?? 20;
  if (all.length === 0) return null;
  return (
    <ul className={classes.evidence}>
      {all.slice(0, limit).map((e, i) => (
        <li key={i}>
          {e.text && !(props.brief && (e.url || e.repository)) ? <span>{e.text} </span> : null}
          <Place of={e} brief={props.brief} />
        </li>
      ))}
      {all.length > limit ? <li>and {all.length - limit} more</li> : null}
    </ul>
  );
}

function Place({ of, brief }: { of: Evidence; brief?: boolean }) {
  const where =
    [brief && of.path ? '' : of.repository, of.path].filter(Boolean).join('/') +
    (of.path && of.line ? `:${of.line}` : '');
  const title = brief ? of.text : undefined;
  if (of.url)
    return (
      <Outside href={of.url} title={title}>
        {shorten(where) || (of.text ? 'look' : of.url)}
      </Outside>
    );
  return where ? (
    <span className={classes.place} title={title}>
      {shorten(where)}
    </span>
  ) : null;
}

/** The end of a long path tells it apart. */
const shorten = (where: string) => (where.length > 60 ? `…${where.slice(-58)}` : where);
