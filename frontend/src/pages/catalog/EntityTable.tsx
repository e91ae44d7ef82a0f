import { UnstyledButton, VisuallyHidden } from '@mantine/core';
import { useDebouncedValue, useElementSize, useHotkeys, useMediaQuery } from '@mantine/hooks';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useStarred } from '~/shell/remembered';
import { columnWidths } from './columns';
import { EntityRow, SkeletonRow } from './EntityRow';
import classes from './EntityTable.module.css';
import type { CatalogView } from './useCatalog';
import { type EntityColumn, useEntityTable } from './useEntityTable';
import type { Levels } from './useLevels';
import type { Rows } from './useRows';

export type Range = { start: number; end: number };

/** The list as a table of which only what is on the screen is there. */
export function EntityTable(props: {
  view: CatalogView;
  rows: Rows;
  /** Of the rows with which something is wrong, by ref. */
  levels: Levels;
  /** Tells which rows are on the screen, once scrolling rests. */
  setRange: (range: Range) => void;
  label: string;
}) {
  const { view, rows, setRange } = props;
  const columns = view.columns.chosen;
  const phone = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false }) ?? false;
  const searching = Boolean(view.search.q);
  const height = phone ? 60 : searching ? 52 : 40;
  const { isStarred, toggle } = useStarred();

  const table = useRef<HTMLTableElement>(null);
  const [margin, setMargin] = useState(0);
  // Once it rests, when where things are costs nothing to ask: it matters to scrolling only.
  useEffect(() => {
    const timer = setTimeout(() => {
      const top = (table.current?.getBoundingClientRect().top ?? 0) + window.scrollY;
      if (Math.abs(top - margin) > 1) setMargin(top);
    }, 50);
    return () => clearTimeout(timer);
  });

  const list = useWindowVirtualizer({
    count: rows.count,
    estimateSize: () => height,
    overscan: 6,
    scrollMargin: margin,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: sizes are remembered, and all change with the height
  useLayoutEffect(() => list.measure(), [height]);

  const items = list.getVirtualItems();
  const start = items[0]?.index ?? 0;
  const end = (items.at(-1)?.index ?? 0) + 1;
  // A scroll bar that is dragged passes by thousands of rows; only where it rests is asked for.
  const [rest] = useDebouncedValue(`${start} ${end}`, 60);
  useEffect(() => {
    const [from = 0, to = 0] = rest.split(' ').map(Number);
    setRange({ start: from, end: to });
  }, [rest, setRange]);

  // Another list begins at its beginning.
  const key = rows.key;
  const seen = useRef(key);
  useLayoutEffect(() => {
    const first = seen.current === '';
    if (seen.current === key) return;
    seen.current = key;
    const top = margin - 56 - 44;
    // The list's own number: to ask the window would lay the page out before it is painted.
    if (!first && (list.scrollOffset ?? 0) > top) window.scrollTo({ top: Math.max(0, top) });
  }, [key, margin, list]);

  // The focus goes through the rows with the arrows and j/k, as an extra to Tab.
  const link = (index: number) =>
    table.current?.querySelector<HTMLAnchorElement>(`tr[data-index="${index}"] a[data-entity]`);
  const move = (by: number) => {
    const row = document.activeElement?.closest<HTMLElement>('tr[data-index]');
    const here = row && table.current?.contains(row) ? Number(row.dataset.index) : undefined;
    const visible = items.find((i) => i.start - list.options.scrollMargin >= (list.scrollOffset ?? 0) - margin + 100);
    const to = Math.min(Math.max(here === undefined ? (visible?.index ?? 0) : here + by, 0), rows.count - 1);
    const reached = link(to);
    if (reached) {
      reached.focus({ preventScroll: true });
      reached.closest('tr')?.scrollIntoView({ block: 'nearest' });
      return;
    }
    list.scrollToIndex(to, { align: 'auto' });
    requestAnimationFrame(() => requestAnimationFrame(() => link(to)?.focus({ preventScroll: true })));
  };
  useHotkeys([
    ['j', () => move(1)],
    ['k', () => move(-1)],
  ]);

  const drawn = items.map((item) => ({ item, row: rows.at(item.index) }));
  const model = useEntityTable(
    view,
    drawn.flatMap((d) => d.row ?? []),
    { name: phone, orderable: !searching },
  );
  const shown = model.getVisibleLeafColumns();
  const modelRows = model.getRowModel().rows;
  let next = 0;
  const before = items[0] ? items[0].start - margin : 0;
  const last = items.at(-1);
  const after = last ? list.getTotalSize() - (last.end - margin) : 0;
  const { ref: frame, width: room } = useElementSize();
  const { widths, least } = columnWidths(columns, room / 16);

  return (
    <div
      ref={frame}
      className={classes.frame}
      data-stale={rows.stale || undefined}
      data-wide={(!phone && room > 0 && least * 16 > room + 1) || undefined}
    >
      <table
        ref={table}
        className={classes.table}
        data-tall={height !== 40 || undefined}
        style={{ minWidth: phone ? undefined : `${least}rem` }}
        aria-rowcount={rows.total === undefined ? -1 : rows.total + 1}
        aria-busy={rows.stale || rows.total === undefined}
        onKeyDown={(e) => {
          if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return;
          if (!(e.target as HTMLElement).closest('tbody')) return;
          e.preventDefault();
          move(e.key === 'ArrowDown' ? 1 : -1);
        }}
      >
        <VisuallyHidden component="caption">{props.label}</VisuallyHidden>
        <colgroup>
          <col />
          {phone ? null : columns.map((c, i) => <col key={c.id} style={{ width: `${widths[i]}rem` }} />)}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {shown.map((column) => (
              <Head key={column.id} column={column} />
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 ? <Space height={before} span={shown.length} /> : null}
          {rows.total === undefined
            ? Array.from({ length: 14 }, (_, i) => <SkeletonRow key={i} height={height} columns={shown} index={i} />)
            : drawn.map(({ item, row }) => {
                const cells = row ? modelRows[next++]?.getVisibleCells() : undefined;
                return row && cells ? (
                  <EntityRow
                    key={item.key}
                    row={row}
                    cells={cells}
                    index={item.index}
                    height={height}
                    columns={shown}
                    phone={phone}
                    withKind={view.kind === ''}
                    level={props.levels.get((row.entity.name ?? '').replace(/^entities\//, ''))}
                    starred={isStarred((row.entity.name ?? '').replace(/^entities\//, ''))}
                    toggleStar={toggle}
                  />
                ) : (
                  <SkeletonRow key={item.key} height={height} columns={shown} index={item.index} />
                );
              })}
          {after > 0 ? <Space height={after} span={shown.length} /> : null}
        </tbody>
      </table>
    </div>
  );
}

/** Stands for rows that are not there. */
function Space({ height, span }: { height: number; span: number }) {
  return (
    <tr aria-hidden>
      <td colSpan={span} className={classes.space} style={{ height }} />
    </tr>
  );
}

function Head({ column }: { column: EntityColumn }) {
  const words = <span className="clip">{String(column.columnDef.header)}</span>;
  const here = column.getIsSorted();
  return (
    <th
      scope="col"
      className={classes.th}
      data-figures={column.columnDef.meta?.figures || undefined}
      aria-sort={here ? (here === 'desc' ? 'descending' : 'ascending') : undefined}
    >
      {column.getCanSort() ? (
        <UnstyledButton
          className={classes.sort}
          data-here={here ? true : undefined}
          onClick={column.getToggleSortingHandler()}
        >
          {words}
          {here === 'desc' ? (
            <IconArrowDown size={13} stroke={2} aria-hidden />
          ) : (
            <IconArrowUp size={13} stroke={2} aria-hidden className={here ? undefined : classes.hint} />
          )}
        </UnstyledButton>
      ) : (
        words
      )}
    </th>
  );
}
