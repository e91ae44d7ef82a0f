import { Group, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';
import classes from './Page.module.css';

/** The frame of every page: its name as heading and in the browser's title, what one can do, and the content. */
export function Page(props: {
  title: string;
  /** In the browser's title in place of title. */
  name?: string;
  /** A line below the heading. */
  about?: ReactNode;
  actions?: ReactNode;
  /** Use the whole width, for tables and maps. */
  wide?: boolean;
  /** The heading is elsewhere on the page. */
  bare?: boolean;
  children: ReactNode;
}) {
  const name = props.name ?? props.title;
  useEffect(() => {
    document.title = `${name} · Waypost`;
  }, [name]);
  return (
    <div className={classes.page} data-wide={props.wide || undefined}>
      {props.bare ? null : (
        <header className={classes.head}>
          <div className={classes.words}>
            <Title order={1}>{props.title}</Title>
            {props.about ? <p className={classes.about}>{props.about}</p> : null}
          </div>
          {props.actions ? <Group gap="xs">{props.actions}</Group> : null}
        </header>
      )}
      {props.children}
    </div>
  );
}
