import { Link } from '@tanstack/react-router';
import type { Highlight, SearchResult } from '~/api/client';
import { EntityLink } from '~/entity/EntityLink';
import { groupTitle } from '~/entity/groupTree';
import { splitHighlights } from '~/entity/highlight';
import { kindOf } from '~/entity/kinds';
import { Marked } from '~/entity/Marked';
import { ownerOf } from '~/entity/read';
import { refOf, shortRef } from '~/entity/ref';
import { textIn } from '~/entity/text';
import classes from './Search.module.css';
import { fieldWords, shorten, whyMatched } from './why';

/** What matched, with its marks, and where else it did. */
export function Result(props: { result: SearchResult }) {
  const e = props.result.entity;
  if (!e) return null;
  const ref = refOf(e);
  const title = groupTitle(e);
  const { inTitle, description, others } = whyMatched(props.result.highlights ?? [], title);
  const owner = ownerOf(e);
  const kind = kindOf(ref.kind);
  const about = [kind.one, textIn(e.spec, 'type'), textIn(e.spec, 'lifecycle')].filter(Boolean).join(' · ');
  return (
    <li className={classes.result}>
      <kind.icon size={19} stroke={1.5} aria-hidden className={classes.icon} />
      <div className={classes.body}>
        <div className={classes.line}>
          <Link to="/catalog/$namespace/$kind/$name" params={ref} className={`${classes.title} clip`}>
            <Marked text={title} ranges={inTitle?.ranges} />
          </Link>
          {title.toLowerCase() === shortRef(ref) ? null : (
            <code className={`${classes.ref} clip`}>{shortRef(ref)}</code>
          )}
          <span className={classes.about}>{about}</span>
          {owner ? (
            <span className={classes.owner}>
              <EntityLink of={owner.ref} missing={!owner.exists} />
            </span>
          ) : null}
        </div>
        {description ? (
          <p className={classes.description}>
            <Snippet of={description} />
          </p>
        ) : e.metadata?.description ? (
          <p className={`${classes.description} clip`} title={e.metadata.description}>
            {e.metadata.description}
          </p>
        ) : null}
        {others.length > 0 ? (
          <dl className={classes.why}>
            {others.map((h) => (
              <div key={`${h.field} ${h.text}`}>
                <dt title={h.field}>{fieldWords(h.field ?? '')}</dt>
                <dd>
                  <Snippet of={h} />
                </dd>
              </div>
            ))}
          </dl>
        ) : null}
      </div>
    </li>
  );
}

function Snippet({ of }: { of: Highlight }) {
  return (
    <>
      {shorten(splitHighlights(of.text ?? '', of.ranges), 160).map((p, i) =>
        p.hit ? <mark key={i}>{p.text}</mark> : p.text,
      )}
    </>
  );
}
