import { useQuery } from '@tanstack/react-query';
import { latestQuery } from '~/api/queries';
import { EntityLink } from '~/entity/EntityLink';
import { groupTitle } from '~/entity/groupTree';
import { ownedFilter } from '~/entity/ownedFilter';
import { formatRef, refOf } from '~/entity/ref';
import { Panel } from '~/parts/Panel';
import { Time } from '~/parts/Time';
import classes from './Lines.module.css';

/** What changed lately of what some owners own. */
export function Changed(props: { owners: string[] }) {
  const latest = useQuery(latestQuery(ownedFilter(props.owners), 8));
  if (!latest.data || latest.data.length === 0) return null;
  return (
    <Panel title="Changed lately" flush>
      <ul className={classes.list}>
        {latest.data.map((e) => (
          <li key={e.name} className={classes.line}>
            <EntityLink of={refOf(e)} title={groupTitle(e)} tab={undefined} />
            <span className={classes.end}>
              <Time at={e.updateTime} />
              <EntityHistory of={formatRef(refOf(e))} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function EntityHistory(props: { of: string }) {
  return <EntityLink of={props.of} plain tab="history" title="what changed" />;
}
