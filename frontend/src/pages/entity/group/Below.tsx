import type { Relation } from '~/api/client';
import { EntityLink } from '~/entity/EntityLink';
import { plural } from '~/entity/owned';
import { useGroups } from '~/entity/useGroups';
import { Panel } from '~/parts/Panel';
import { Status } from '~/parts/Status';
import classes from './GroupOverview.module.css';

/** Groups in short: how many are in each, what it owns and what is wrong with it. */
export function Teams(props: { title: string; refs: Relation[]; note?: string }) {
  const groups = useGroups();
  const titles = new Map(groups.list.map((g) => [g.ref, g.title]));
  if (props.refs.length === 0)
    return props.note ? (
      <Panel title={props.title} note={props.note} flush>
        {null}
      </Panel>
    ) : null;
  return (
    <Panel title={props.title} note={props.refs.length.toLocaleString('en')} flush>
      <ul className={classes.list}>
        {props.refs.map((r) => {
          const ref = r.targetRef ?? '';
          const c = groups.countsOf(ref);
          return (
            <li key={ref} className={classes.line}>
              <EntityLink of={ref} title={titles.get(ref)} missing={r.targetExists === false} />
              <span className={classes.end}>
                {c.errors > 0 ? (
                  <Status tone="bad" plain>
                    {plural(c.errors, 'error')}
                  </Status>
                ) : c.warnings > 0 ? (
                  <Status tone="warn" plain>
                    {plural(c.warnings, 'warning')}
                  </Status>
                ) : null}
                <span>
                  {plural(c.members, 'member')}, owns {c.owned.toLocaleString('en')}
                </span>
              </span>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
