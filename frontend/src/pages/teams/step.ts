import type { TreeRow } from '~/entity/groupTree';

/** What a key does in the tree: moves to a row, or opens or closes the one that it is on. */
export function step(
  key: string,
  rows: readonly TreeRow[],
  at: number,
  open: boolean,
): { to: number } | { open: boolean } | undefined {
  const row = rows[at];
  if (!row) return undefined;
  const parent = row.node.children.length > 0;
  switch (key) {
    case 'ArrowDown':
      return { to: Math.min(at + 1, rows.length - 1) };
    case 'ArrowUp':
      return { to: Math.max(at - 1, 0) };
    case 'Home':
      return { to: 0 };
    case 'End':
      return { to: rows.length - 1 };
    case 'PageDown':
      return { to: Math.min(at + 12, rows.length - 1) };
    case 'PageUp':
      return { to: Math.max(at - 12, 0) };
    case 'ArrowRight':
      if (!parent) return undefined;
      return open ? { to: at + 1 } : { open: true };
    case 'ArrowLeft':
      if (parent && open) return { open: false };
      return row.parent < 0 ? undefined : { to: row.parent };
  }
  return undefined;
}
