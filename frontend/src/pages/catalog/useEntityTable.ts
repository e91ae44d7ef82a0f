import {
  type Cell,
  type ColumnDef,
  columnVisibilityFeature,
  functionalUpdate,
  rowSortingFeature,
  type SortingState,
  type Column as TableColumn,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import { useMemo } from 'react';
import { titleOf } from '~/entity/read';
import type { Column } from './columns';
import { parseOrder, sayOrder } from './order';
import type { CatalogView } from './useCatalog';
import type { Row } from './useRows';

const features = tableFeatures({ columnVisibilityFeature, rowSortingFeature, columnMeta: {} as Partial<Column> });
type Features = typeof features;
export type EntityColumn = TableColumn<Features, Row, unknown>;
export type EntityCell = Cell<Features, Row, unknown>;

// EntityRow draws it: it has more than a text.
const name: ColumnDef<Features, Row> = {
  id: 'name',
  header: 'Name',
  accessorFn: (row) => titleOf(row.entity),
  meta: { order: 'metadata.name' },
};

const define = (column: Column): ColumnDef<Features, Row> => ({
  id: column.id,
  header: column.title,
  accessorFn: (row) => column.text(row.entity),
  cell: ({ row }) => column.cell(row.original.entity),
  enableSorting: column.order !== undefined,
  sortDescFirst: column.descFirst ?? false,
  meta: column,
});

/**
 * The table of the rows that are drawn. The address says its columns and its order, the server
 * orders, and what is asked for by a head is said in the address.
 */
export function useEntityTable(view: CatalogView, data: Row[], only: { name: boolean; orderable: boolean }) {
  const { all, chosen } = view.columns;
  const order = view.search.sort;
  const columns = useMemo(() => [name, ...all.map(define)], [all]);
  const columnVisibility = useMemo(
    () => Object.fromEntries(all.map((c) => [c.id, !only.name && chosen.includes(c)])),
    [all, chosen, only.name],
  );
  const sorting = useMemo((): SortingState => {
    const now = parseOrder(order);
    const by = now && columns.find((c) => c.meta?.order === now.field);
    return now && by?.id ? [{ id: by.id, desc: now.desc }] : [];
  }, [order, columns]);
  return useTable({
    features,
    columns,
    data,
    state: { columnVisibility, sorting },
    manualSorting: true,
    enableSorting: only.orderable,
    enableMultiSort: false,
    onSortingChange: (change) => {
      const next = functionalUpdate(change, sorting)[0];
      const by = next && columns.find((c) => c.id === next.id)?.meta?.order;
      view.set((now) => ({ ...now, sort: by ? sayOrder({ field: by, desc: next.desc }) : undefined }));
    },
  });
}
