import type { EntityRevision } from '~/api/client';
import { Time } from '~/parts/Time';
import { ChangeList } from './ChangeList';
import classes from './History.module.css';

/** What plugins said of it, one or several times in a row: a line, unless one asks. */
export function FactsEntry({ revisions }: { revisions: EntityRevision[] }) {
  const plugins = [...new Set(revisions.map((r) => r.cause?.actor).filter(Boolean))].join(', ');
  const changes = revisions.flatMap((r) => r.changes ?? []);
  return (
    <li className={classes.entry} data-tone="none" data-small>
      <details>
        <summary>
          {plugins || 'A plugin'} said something else
          {revisions.length > 1 ? ` ${revisions.length} times` : ''}
          <span className={classes.when}>
            <Time at={revisions[0]?.time} />
          </span>
        </summary>
        {changes.length > 0 ? (
          revisions.map((r) => <ChangeList key={r.revision} changes={r.changes ?? []} />)
        ) : (
          <p className="soft">What it was is not kept.</p>
        )}
      </details>
    </li>
  );
}
