import { IconChevronRight, IconUsersGroup } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useLayoutEffect, useRef, useState } from 'react';
import { ownedInCatalog } from '~/entity/catalogLinks';
import type { GroupNode, TreeRow } from '~/entity/groupTree';
import { formatRef, parseRef } from '~/entity/ref';
import type { Counts } from '~/entity/useGroups';
import { Status } from '~/parts/Status';
import classes from './GroupTree.module.css';
import { step } from './step';

const height = 40; // px

type Props = {
  rows: TreeRow[];
  isOpen: (node: GroupNode, level: number) => boolean;
  toggle: (node: GroupNode, open: boolean) => void;
  countsOf: (ref: string) => Counts;
  totalOf: (ref: string) => number;
  query: string;
};

/**
 * The tree as a grid of rows that the arrows walk: one row is in the tab order, and
 * the links of that row after it. Only the rows in sight are there.
 */
export function GroupTree(props: Props) {
  const { rows } = props;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => setTop(box.current?.offsetTop ?? 0), []);
  const [at, setAt] = useState('');
  const index = Math.max(
    0,
    rows.findIndex((r) => r.node.group.ref === at),
  );
  const navigate = useNavigate();
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => height,
    overscan: 12,
    scrollMargin: top,
    getItemKey: (i) => rows[i]?.node.group.ref ?? i,
  });

  const focus = (to: number) => {
    const row = rows[to];
    if (!row) return;
    setAt(row.node.group.ref);
    virtual.scrollToIndex(to);
    // Once it is there.
    requestAnimationFrame(() =>
      requestAnimationFrame(() =>
        box.current?.querySelector<HTMLElement>(`[aria-rowindex="${to + 2}"]`)?.focus({ preventScroll: true }),
      ),
    );
  };

  const onKey = (e: KeyboardEvent<HTMLElement>) => {
    const row = rows[index];
    if (!row || e.altKey || e.ctrlKey || e.metaKey) return;
    // On a link or button within the row it is theirs.
    if (e.key === 'Enter' && e.target instanceof HTMLElement && e.target.role === 'row') {
      const ref = parseRef(row.node.group.ref);
      if (ref) navigate({ to: '/catalog/$namespace/$kind/$name', params: ref });
      return;
    }
    const does = step(e.key, rows, index, props.isOpen(row.node, row.level));
    if (!does) return;
    e.preventDefault();
    if ('open' in does) props.toggle(row.node, does.open);
    else focus(does.to);
  };

  return (
    <div
      role="treegrid"
      aria-label="Teams"
      aria-rowcount={rows.length + 1}
      className={classes.tree}
      onKeyDown={onKey}
      ref={box}
    >
      {/* biome-ignore lint/a11y/useFocusableInteractive: nothing can be done with the heads */}
      {/* biome-ignore lint/a11y/useSemanticElements: a table has no levels */}
      <div role="row" aria-rowindex={1} className={`${classes.row} ${classes.heads}`}>
        <Head>Team</Head>
        <Head hide>Type</Head>
        <Head num small>
          Members
        </Head>
        <Head num>Owns</Head>
        <Head num hide>
          With child teams
        </Head>
        <Head end>Problems</Head>
      </div>
      <div className={classes.body} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((v) => {
          const row = rows[v.index];
          return row ? (
            <Row
              key={v.key}
              {...props}
              row={row}
              index={v.index}
              active={v.index === index}
              y={v.start - top}
              onFocus={() => setAt(row.node.group.ref)}
            />
          ) : null;
        })}
      </div>
    </div>
  );
}

function Head(props: { children: string; num?: boolean; hide?: boolean; small?: boolean; end?: boolean }) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: nothing can be done with the heads
    // biome-ignore lint/a11y/useSemanticElements: a table has no levels
    <div
      role="columnheader"
      className={props.num ? 'num' : undefined}
      data-hide={props.hide || undefined}
      data-small={props.small || undefined}
      data-end={props.end || undefined}
    >
      {props.children}
    </div>
  );
}

function Row(props: Props & { row: TreeRow; index: number; active: boolean; y: number; onFocus: () => void }) {
  const { node, level, position, size } = props.row;
  const { group } = node;
  const ref = parseRef(group.ref);
  const counts = props.countsOf(group.ref);
  const total = props.totalOf(group.ref);
  const parent = node.children.length > 0;
  const open = parent && props.isOpen(node, level);
  const tab = props.active ? 0 : -1;
  if (!ref) return null;
  const problems = counts.errors + counts.warnings;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table has no levels
    <div
      role="row"
      className={classes.row}
      tabIndex={tab}
      onFocus={props.onFocus}
      aria-rowindex={props.index + 2}
      aria-level={level}
      aria-posinset={position}
      aria-setsize={size}
      aria-expanded={parent ? open : undefined}
      style={{ transform: `translateY(${props.y}px)`, height }}
    >
      {/* biome-ignore lint/a11y/useFocusableInteractive: the row takes the focus */}
      {/* biome-ignore lint/a11y/useSemanticElements: a table has no levels */}
      <div role="gridcell" className={classes.name} style={{ paddingLeft: `${Math.min(level - 1, 12) * 1.35}rem` }}>
        {parent ? (
          <button
            type="button"
            tabIndex={-1}
            className={classes.twist}
            data-open={open || undefined}
            onClick={() => props.toggle(node, !open)}
            aria-label={`${open ? 'Collapse' : 'Expand'} ${group.title}`}
          >
            <IconChevronRight size={15} stroke={2} aria-hidden />
          </button>
        ) : (
          <span className={classes.twist} aria-hidden />
        )}
        <IconUsersGroup size={16} stroke={1.6} aria-hidden className={classes.icon} />
        <Link
          to="/catalog/$namespace/$kind/$name"
          params={ref}
          tabIndex={tab}
          className={`${classes.link} clip`}
          title={group.description ? `${group.title} – ${group.description}` : formatRef(ref)}
        >
          {group.title}
        </Link>
        {node.cyclic ? <Status tone="warn">Among its own parents</Status> : null}
        {node.orphanOf ? (
          <span className={classes.orphan} title={`Its parent ${node.orphanOf} does not exist`}>
            <Status tone="warn">Parent missing</Status>
          </span>
        ) : null}
      </div>
      <Cell hide soft>
        {group.type}
      </Cell>
      <Cell num small>
        {number(counts.members)}
      </Cell>
      <Cell num>
        {counts.owned > 0 ? (
          <Link to="/catalog" search={ownedInCatalog([group.ref])} tabIndex={tab} className={classes.count}>
            {counts.owned.toLocaleString('en')}
            <span className="sr-only"> owned by {group.title}</span>
          </Link>
        ) : (
          number(0)
        )}
      </Cell>
      <Cell num hide soft>
        {parent ? number(total) : ''}
      </Cell>
      <Cell end>
        {problems > 0 ? (
          <Link to="/problems" search={{ owner: group.ref }} tabIndex={tab} className={classes.problems}>
            {counts.errors > 0 ? (
              <Status tone="bad" plain>
                {counts.errors.toLocaleString('en')}
                <span className="sr-only"> errors</span>
              </Status>
            ) : null}
            {counts.warnings > 0 ? (
              <Status tone="warn" plain>
                {counts.warnings.toLocaleString('en')}
                <span className="sr-only"> warnings</span>
              </Status>
            ) : null}
          </Link>
        ) : (
          <span className="soft">–</span>
        )}
      </Cell>
    </div>
  );
}

function Cell(props: {
  children: React.ReactNode;
  num?: boolean;
  hide?: boolean;
  small?: boolean;
  soft?: boolean;
  end?: boolean;
}) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the row takes the focus
    // biome-ignore lint/a11y/useSemanticElements: a table has no levels
    <div
      role="gridcell"
      className={`${props.num ? 'num' : 'clip'} ${props.soft ? 'soft' : ''}`}
      data-hide={props.hide || undefined}
      data-small={props.small || undefined}
      data-end={props.end || undefined}
    >
      {props.children}
    </div>
  );
}

const number = (n: number) => (n === 0 ? <span className="soft">0</span> : n.toLocaleString('en'));
