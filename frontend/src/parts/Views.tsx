import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import classes from './Views.module.css';

/** The views of a page, as links: which one is shown is part of the address. */
export function Views<S extends Record<string, unknown>>(props: {
  label: string;
  views: { name: string; words: string; count?: number; search: S }[];
  current: string;
  note?: ReactNode;
}) {
  return (
    <nav aria-label={props.label} className={classes.views}>
      {props.views.map((v) => (
        <Link
          key={v.name}
          to="."
          search={v.search as never}
          className={classes.view}
          // Else every view is current, for they share a path.
          activeOptions={{ exact: true, includeSearch: true }}
          aria-current={v.name === props.current ? 'page' : undefined}
        >
          {v.words}
          {v.count === undefined ? null : <span className={classes.count}>{v.count.toLocaleString('en')}</span>}
        </Link>
      ))}
      {props.note ? <span className={classes.note}>{props.note}</span> : null}
    </nav>
  );
}
