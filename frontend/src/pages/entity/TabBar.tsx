import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { factsQuery, historyQuery, ownershipQuery, problemsQuery } from '~/api/queries';
import { formatRef, type Ref } from '~/entity/ref';
import classes from './TabBar.module.css';
import type { Tab } from './tabs';

/** The tabs are links: each has an address, and opens in a window of its own if one asks for it. */
export function TabBar(props: {
  tabs: Tab[];
  current: string;
  entityRef: Ref;
  /** Called when somebody comes near. */
  near: () => void;
}) {
  const client = useQueryClient();
  const bar = useRef<HTMLElement>(null);
  const { data } = useQuery(problemsQuery({ entityRef: formatRef(props.entityRef), pageSize: 100 }));
  const problems = data?.problems?.length ?? 0;
  // On a narrow screen the bar scrolls; the current tab is in sight.
  // biome-ignore lint/correctness/useExhaustiveDependencies: when the tab changes
  useEffect(() => {
    const nav = bar.current;
    const link = nav?.querySelector<HTMLElement>('[aria-current]');
    if (!nav || !link) return;
    const over = link.offsetLeft + link.offsetWidth - nav.clientWidth - nav.scrollLeft;
    if (over > 0 || link.offsetLeft < nav.scrollLeft) nav.scrollLeft = link.offsetLeft - 32;
  }, [props.current]);
  return (
    <nav
      ref={bar}
      className={classes.bar}
      aria-label="Sections of this entity"
      onPointerEnter={props.near}
      onFocus={props.near}
    >
      {props.tabs.map((tab) => {
        const current = tab.id === props.current ? 'page' : undefined;
        const inner = (
          <>
            {tab.label}
            {tab.id === 'problems' && problems > 0 ? <span className={classes.count}>{problems}</span> : null}
          </>
        );
        return tab.id === 'overview' ? (
          <Link
            key={tab.id}
            to="/catalog/$namespace/$kind/$name"
            params={props.entityRef}
            className={classes.tab}
            aria-current={current}
            // Else it counts as current on all tabs, which are below it.
            activeOptions={{ exact: true }}
            resetScroll={false}
          >
            {inner}
          </Link>
        ) : (
          <Link
            key={tab.id}
            to="/catalog/$namespace/$kind/$name/$tab"
            params={{ ...props.entityRef, tab: tab.id }}
            className={classes.tab}
            aria-current={current}
            onMouseEnter={() => prepare(client, tab, props.entityRef)}
            onFocus={() => prepare(client, tab, props.entityRef)}
            resetScroll={false}
          >
            {inner}
          </Link>
        );
      })}
    </nav>
  );
}

/** Asks for what a tab shows while the pointer is on the way to it. */
function prepare(client: QueryClient, tab: Tab, ref: Ref): void {
  if (tab.id === 'history') void client.prefetchInfiniteQuery(historyQuery(ref));
  else if (tab.id === 'ownership') void client.prefetchQuery(ownershipQuery(ref));
  else if (tab.plugin) void client.prefetchQuery(factsQuery(ref));
}
