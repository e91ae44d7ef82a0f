import { useQuery } from '@tanstack/react-query';
import { changesQuery } from '~/api/queries';
import { EntityLink } from '~/entity/EntityLink';
import { ownedFilter } from '~/entity/ownedFilter';
import { causeWords, opWords } from '~/pages/entity/history/words';
import { Panel } from '~/parts/Panel';
import { Status } from '~/parts/Status';
import { Time } from '~/parts/Time';
import classes from './Lines.module.css';

/** What changed lately of what some owners own, and who or what did it. */
export function Changed(props: { owners: string[] }) {
  const { data } = useQuery(changesQuery(ownedFilter(props.owners), 8));
  const revisions = data?.revisions ?? [];
  if (revisions.length === 0) return null;
  return (
    <Panel title="Changed lately" flush>
      <ul className={classes.list}>
        {revisions.map((r) => {
          const [words, tone] = opWords(r);
          const cause = causeWords(r.cause);
          return (
            <li key={r.revision} className={classes.line}>
              <EntityLink of={r.entityRef ?? ''} tab="history" />
              <Status tone={tone} plain>
                {words}
              </Status>
              <span className={classes.end}>
                {cause ? <span className={classes.cause}>by {cause}</span> : null}
                <Time at={r.time} />
              </span>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
