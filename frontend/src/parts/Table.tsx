import type { ReactNode } from 'react';
import classes from './table.module.css';

export type Column = { name: string; num?: boolean /** Only for screen readers. */; hidden?: boolean };

/** A plain table that scrolls sideways by itself where it is too narrow. Rows are <tr>. */
export function Table(props: { label: string; columns: Column[]; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex lint/a11y/useSemanticElements: what scrolls must be reachable by keyboard; a landmark it is not, nor a fieldset
    <div className={classes.scroll} tabIndex={0} role="group" aria-label={props.label}>
      <table className={classes.table}>
        <thead>
          <tr>
            {props.columns.map((c) => (
              <th key={c.name} scope="col" data-num={c.num || undefined}>
                {c.hidden ? <span className="sr-only">{c.name}</span> : c.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}

/** A cell: what one reads first, and below it what else there is to say. */
export function Cell(props: {
  num?: boolean;
  tight?: boolean;
  below?: ReactNode;
  main?: boolean;
  children?: ReactNode;
}) {
  return (
    <td data-num={props.num || undefined} data-tight={props.tight || undefined}>
      {props.main ? <span className={classes.main}>{props.children}</span> : props.children}
      {props.below ? <span className={classes.below}>{props.below}</span> : null}
    </td>
  );
}
