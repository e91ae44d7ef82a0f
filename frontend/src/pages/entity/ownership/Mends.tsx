import type { Entity, Ownership } from '~/api/client';
import { statusWords } from '~/entity/ownership';
import { fileUrl } from '~/entity/source';
import { formatWord } from '~/facts/format';
import { Diff } from '~/parts/Diff';
import { Outside } from '~/parts/Outside';
import { Panel } from '~/parts/Panel';
import { sentence } from '~/parts/sentence';
import classes from './Ownership.module.css';

/** Changes of files that would put something right, ready to be taken along. */
export function Mends({ mends, entity }: { mends: NonNullable<Ownership['mends']>; entity: Entity }) {
  if (mends.length === 0) return null;
  return (
    <Panel title="How to mend it" note={mends.length > 1 ? mends.length : undefined}>
      <ol className={classes.mends}>
        {mends.map((m, i) => {
          const place = [m.repository, m.path].filter(Boolean).join('/') + (m.path && m.line ? `:${m.line}` : '');
          const url = m.repository === entity.origin?.repository ? fileUrl(entity, m.path, m.line) : undefined;
          const patch = m.patch ?? '';
          return (
            <li key={i}>
              <p className={classes.mend}>
                {m.text ? sentence(m.text) : statusWords(m.reason ?? '').words || formatWord(m.reason ?? '')}
              </p>
              {place ? <p className={classes.place}>{url ? <Outside href={url}>{place}</Outside> : place}</p> : null}
              {patch ? <Diff text={patch} label={`Patch for ${m.path || 'the file'}`} copy /> : null}
            </li>
          );
        })}
      </ol>
    </Panel>
  );
}
