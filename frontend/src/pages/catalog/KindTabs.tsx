import { Link } from '@tanstack/react-router';
import { memo, useEffect, useRef } from 'react';
import { compareKinds, kindOf } from '~/entity/kinds';
import { figure } from '~/parts/figure';
import classes from './KindTabs.module.css';
import { allKinds } from './selection';
import type { Counted } from './useFacets';

/** The kinds with how many there are under the other filters. */
export const KindTabs = memo(function KindTabs(props: {
  kind: string;
  searching: boolean;
  counted: Counted | undefined;
  known: string[];
  /** Results of a search. */
  total?: number;
}) {
  const { counted, searching } = props;
  const counts = new Map<string, number>();
  for (const v of counted?.values ?? [])
    counts.set(v.value.toLowerCase(), (counts.get(v.value.toLowerCase()) ?? 0) + v.count);
  const kinds = new Set([...props.known.map((k) => k.toLowerCase()), ...counts.keys()]);
  if (props.kind) kinds.add(props.kind);
  const tabs = [...[...kinds].filter(Boolean).sort(compareKinds), ''];
  const nav = useRef<HTMLElement>(null);
  const hasCounts = counted !== undefined;
  // Not with each count: to ask where a tab is lays the page out anew.
  // biome-ignore lint/correctness/useExhaustiveDependencies: where one is must be seen also where not all tabs fit
  useEffect(() => {
    const here = nav.current?.querySelector<HTMLElement>('[aria-current]');
    if (nav.current && here)
      nav.current.scrollLeft = here.offsetLeft - (nav.current.clientWidth - here.offsetWidth) / 2;
  }, [props.kind, tabs.length, hasCounts]);
  return (
    <nav aria-label="Kinds" className={classes.tabs} ref={nav}>
      {tabs.map((kind) => {
        const here = kind === props.kind;
        // Words narrow what counts do not know of.
        const count = searching ? (here ? props.total : undefined) : kind ? (counts.get(kind) ?? 0) : counted?.total;
        return (
          <Link
            key={kind}
            to="/catalog"
            search={(now) => ({ ...now, kind: kind || allKinds })}
            resetScroll={false}
            preload={false}
            className={classes.tab}
            data-here={here || undefined}
            aria-current={here ? 'page' : undefined}
            data-none={count === 0 || undefined}
          >
            {kind ? kindOf(kind).many : 'All'}
            {count !== undefined && (counted || searching) ? (
              <span className={classes.count}>{figure(count)}</span>
            ) : null}
          </Link>
        );
      })}
    </nav>
  );
});
