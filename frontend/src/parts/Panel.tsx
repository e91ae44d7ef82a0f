import { Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import classes from './Panel.module.css';

/** A titled surface. Its content brings its own padding if it is a table or list (flush). */
export function Panel(props: {
  title?: ReactNode;
  /** Beside the title, such as a count. */
  note?: ReactNode;
  actions?: ReactNode;
  flush?: boolean;
  className?: string;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section
      className={`${classes.panel} ${props.className ?? ''}`}
      aria-labelledby={props.title ? id : undefined}
      data-flush={props.flush || undefined}
    >
      {props.title ? (
        <div className={classes.head}>
          <Title order={2} id={id} className={classes.title}>
            {props.title}
          </Title>
          {props.note ? <span className={classes.note}>{props.note}</span> : null}
          {props.actions ? <div className={classes.actions}>{props.actions}</div> : null}
        </div>
      ) : null}
      <div className={classes.body}>{props.children}</div>
    </section>
  );
}
