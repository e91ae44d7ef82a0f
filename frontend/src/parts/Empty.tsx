import type { TablerIcon } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './Empty.module.css';

/** Nothing to show: says so, says why, and what to do next. */
export function Empty(props: {
  icon?: TablerIcon;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  small?: boolean;
}) {
  const Icon = props.icon;
  return (
    <div className={classes.empty} data-small={props.small || undefined}>
      {Icon ? <Icon size={props.small ? 22 : 32} stroke={1.4} aria-hidden className={classes.icon} /> : null}
      <p className={classes.title}>{props.title}</p>
      {props.children ? <div className={classes.words}>{props.children}</div> : null}
      {props.actions ? <div className={classes.actions}>{props.actions}</div> : null}
    </div>
  );
}
