import type { Entity } from '~/api/client';
import { sourceLine } from '~/entity/read';
import { AnyValue } from '~/facts/AnyValue';
import { Markdown } from '~/parts/Markdown';
import { Outside } from '~/parts/Outside';
import { Panel } from '~/parts/Panel';
import classes from './Overview.module.css';
import { specRows } from './specRows';

/** The description, and what its spec says that the header does not. */
export function About({ entity }: { entity: Entity }) {
  const description = entity.metadata?.description ?? '';
  const rows = specRows(entity);
  const source = sourceLine(entity);
  return (
    <Panel title="About">
      {description ? (
        <div className={classes.description}>
          <Markdown text={description} base={source} from={3} />
        </div>
      ) : (
        <p className={classes.missing}>
          No description.{' '}
          {source ? (
            <>
              Write one into <code>metadata.description</code> of <Outside href={source}>its catalog file</Outside>.
            </>
          ) : (
            ''
          )}
        </p>
      )}
      {rows.length > 0 ? (
        <dl className={classes.pairs}>
          {rows.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <AnyValue value={value} />
              </dd>
            </div>
          ))}
        </dl>
      ) : null}
    </Panel>
  );
}
