import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { compareKinds, kindOf } from '~/entity/kinds';
import { figure } from '~/parts/figure';
import classes from './KindTabs.module.css';
import { allKinds } from './selection';
import type { CatalogView } from './useCatalog';
import type { Counted } from './useFacets';

/** The kinds with how many there are under the other filters. */
export function KindTabs(props: { view: CatalogView; counted: Counted | undefined; known: string[]; total?: number }) {
  const { view, counted } = props;
  const searching = Boolean(view.search.q);
  const counts = new Map<string, number>();
  for (const v of counted?.values ?? [])
    counts.set(v.value.toLowerCase(), (counts.get(v.value.toLowerCase()) ?? 0) + v.count);
  const kinds = new Set([...props.known.map((k) => k.toLowerCase()), ...counts.keys()]);
  if (view.kind) kinds.add(view.kind);
  const tabs = [...[...kinds].filter(Boolean).sort(compareKinds), ''];
  const nav = useRef<HTMLElement>(null);
  const hasCounts = counted !== undefined;
  // Not with each count: to ask where a tab is lays the page out anew.
  // biome-ignore lint/correctness/useExhaustiveDependencies: where one is must be seen also where not all tabs fit
  useEffect(() => {
    const here = nav.current?.querySelector<HTMLElement>('[aria-current]');
    if (nav.current && here)
      nav.current.scrollLeft = here.offsetLeft - (nav.current.clientWidth - here.offsetWidth) / 2;
  }, [view.kind, tabs.length, hasCounts]);
  return (
    <nav aria-label="Kinds" className={classes.tabs} ref={nav}>
      {tabs.map((kind) => {
        const here = kind === view.kind;
        // Words narrow what counts do not know of.
        const count = searching ? (here ? props.total : undefined) : kind ? (counts.get(kind) ?? 0) : counted?.total;
        return (
          <Link
            key={kind}
            to="/catalog"
            search={{ ...view.search, kind: kind || allKinds }}
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
}
