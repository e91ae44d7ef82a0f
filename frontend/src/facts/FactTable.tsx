import type { FactType } from '~/api/client';
import { EntityLink } from '~/entity/EntityLink';
import { Outside } from '~/parts/Outside';
import { safeHref } from '~/parts/safeHref';
import { Time } from '~/parts/Time';
import { AnyValue } from './AnyValue';
import { columnsOf } from './columns';
import classes from './Facts.module.css';
import { formatWord } from './format';

/** A list of objects. The columns are those of the declared schema, then what else the rows have. */
export function FactTable(props: { rows: unknown[]; type: FactType; limit?: number }) {
  const columns = columnsOf(props.rows, props.type.schema);
  const shown = props.rows.slice(0, props.limit ?? 500);
  if (props.rows.length === 0) return <span className="soft">none</span>;
  if (columns.length === 0) return <AnyValue value={props.rows} />;
  return (
    <div className={classes.scroll}>
      <table className={classes.table} aria-label={props.type.title || props.type.key}>
        <thead>
          <tr>
            {columns.map((c) => (
              <th key={c.name} scope="col" className={c.numeric ? 'num' : undefined}>
                {c.title || formatWord(c.name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, i) => (
            <tr key={i}>
              {columns.map((c) => (
                <td key={c.name} className={c.numeric ? 'num' : undefined}>
                  <Cell value={(row as Record<string, unknown> | null)?.[c.name]} format={c.format} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < props.rows.length ? (
        <p className={classes.more}>and {props.rows.length - shown.length} more</p>
      ) : null}
    </div>
  );
}

function Cell({ value, format }: { value: unknown; format: string }) {
  if (value === undefined || value === null) return <span className="soft">–</span>;
  if (typeof value === 'string') {
    if (/^[a-z][a-z0-9-]*:[^:/\s]+\/[^:/\s]+$/i.test(value)) return <EntityLink of={value} />;
    if (format === 'date-time' && !Number.isNaN(Date.parse(value))) return <Time at={value} />;
    if (/^https?:\/\//i.test(value) && safeHref(value)) return <Outside href={value} />;
  }
  return <AnyValue value={value} />;
}
