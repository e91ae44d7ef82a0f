import { Link } from '@tanstack/react-router';
import type { components } from '~/api/schema.gen';
import { EntityLink } from '~/entity/EntityLink';
import { kindOf } from '~/entity/kinds';
import { Empty } from '~/parts/Empty';
import { Panel } from '~/parts/Panel';
import { Status } from '~/parts/Status';
import { Cell, Table } from '~/parts/Table';
import classes from './CoverageTable.module.css';
import { ownedPercent, percent, shares, statusWords } from './coverage';

type Row = components['schemas']['waypost.ownership.v1.CoverageRow'];

/** How far ownership is known, by owner, system, domain or kind; those that lack most first. */
export function CoverageTable({ by, rows }: { by: string; rows: Row[] }) {
  if (rows.length === 0)
    return (
      <Panel>
        <Empty small title={`No entity belongs to any of the ${by}`} />
      </Panel>
    );
  const sorted = [...rows].sort(
    (a, b) =>
      (ownedPercent(a.coverage) ?? 101) - (ownedPercent(b.coverage) ?? 101) ||
      faults(b) - faults(a) ||
      Number(b.coverage?.entities ?? 0) - Number(a.coverage?.entities ?? 0),
  );
  return (
    <Panel flush>
      <Table
        label={`Ownership by ${by}`}
        columns={[
          { name: by === 'kinds' ? 'Kind' : (by.charAt(0).toUpperCase() + by.slice(1, -1)).replace('Group', 'Owner') },
          { name: 'Entities', num: true },
          { name: 'Owned', num: true },
          { name: 'Share', hidden: true },
          { name: 'To mend' },
        ]}
      >
        {sorted.map((r) => {
          const p = ownedPercent(r.coverage);
          return (
            <tr key={r.of}>
              <Cell
                below={
                  r.leadRef ? (
                    <>
                      led by <EntityLink of={r.leadRef} plain />
                    </>
                  ) : undefined
                }
              >
                {by === 'kinds' ? (
                  <Link to="/catalog" search={{ kind: r.of }}>
                    {kindOf(r.of ?? '').many}
                  </Link>
                ) : (
                  <EntityLink of={r.of ?? ''} />
                )}
              </Cell>
              <Cell num>{Number(r.coverage?.entities ?? 0).toLocaleString('en')}</Cell>
              <Cell num>{percent(p)}</Cell>
              <td className={classes.bar}>
                <div aria-hidden>
                  <span style={{ width: `${p ?? 0}%` }} />
                </div>
              </td>
              <td>
                <span className={classes.faults}>
                  {shares(r.coverage?.statuses, statusWords)
                    .filter((s) => s.name !== 'owned')
                    .map((s) => (
                      <Status
                        key={s.name}
                        tone={s.name === 'single-person' || s.name === 'split' ? 'warn' : 'bad'}
                        plain
                      >
                        {s.count} {s.words}
                      </Status>
                    ))}
                  {Number(r.coverage?.drifting ?? 0) > 0 ? (
                    <Status tone="warn" plain>
                      {r.coverage?.drifting} drifting
                    </Status>
                  ) : null}
                  {faults(r) === 0 ? <span className="soft">nothing</span> : null}
                </span>
              </td>
            </tr>
          );
        })}
      </Table>
    </Panel>
  );
}

function faults(r: Row): number {
  const statuses = shares(r.coverage?.statuses, statusWords).filter((s) => s.name !== 'owned');
  return statuses.reduce((n, s) => n + s.count, Number(r.coverage?.drifting ?? 0));
}
