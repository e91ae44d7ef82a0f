import type { Entity } from '~/api/client';
import { formatRef, parseRef, refOf } from './ref';
import { textIn } from './text';

/** A group as the tree needs it. */
export type Group = {
  ref: string;
  title: string;
  type: string;
  description: string;
  /** As declared; of more than one the first counts. */
  parents: string[];
};

export type GroupNode = {
  group: Group;
  children: GroupNode[];
  /** It is among its own ancestors: the cycle is cut above it. */
  cyclic: boolean;
  /** The parent that it names and that does not exist. */
  orphanOf?: string;
};

/** Reads groups; who says that a group is below another, the one or the other, is the same. */
export function readGroups(entities: readonly Entity[]): Group[] {
  const groups = new Map<string, Group>();
  const listed: [child: string, parent: string][] = [];
  for (const e of entities) {
    const ref = refOf(e);
    const near = { kind: 'group', namespace: ref.namespace };
    const spec = (e.spec ?? {}) as Record<string, unknown>;
    const parent = typeof spec.parent === 'string' ? parseRef(spec.parent, near) : undefined;
    groups.set(formatRef(ref), {
      ref: formatRef(ref),
      title: groupTitle(e),
      type: textIn(spec, 'type'),
      description: e.metadata?.description ?? '',
      parents: parent ? [formatRef(parent)] : [],
    });
    for (const child of Array.isArray(spec.children) ? spec.children : []) {
      const c = typeof child === 'string' ? parseRef(child, near) : undefined;
      if (c) listed.push([formatRef(c), formatRef(ref)]);
    }
  }
  for (const [child, parent] of listed) {
    const group = groups.get(child);
    if (group && !group.parents.includes(parent)) group.parents.push(parent);
  }
  return [...groups.values()];
}

/** What people call a group or user. */
export function groupTitle(e: Entity): string {
  return textIn(e.spec, 'profile', 'displayName') || e.metadata?.title || e.metadata?.name || refOf(e).name;
}

/** The groups as trees, each group once, in the order of their titles. */
export function buildForest(groups: readonly Group[]): GroupNode[] {
  const nodes = new Map<string, GroupNode>();
  for (const group of groups) nodes.set(group.ref, { group, children: [], cyclic: false });
  const above = new Map<string, string>();
  for (const { ref, parents } of groups) {
    const parent = parents.find((p) => nodes.has(p));
    if (parent !== undefined) above.set(ref, parent);
  }
  for (const ref of cycleHeads(above)) {
    above.delete(ref);
    const node = nodes.get(ref);
    if (node) node.cyclic = true;
  }
  const roots: GroupNode[] = [];
  for (const node of nodes.values()) {
    const parent = above.get(node.group.ref);
    const up = parent === undefined ? undefined : nodes.get(parent);
    if (up) up.children.push(node);
    else {
      roots.push(node);
      if (!node.cyclic && node.group.parents[0]) node.orphanOf = node.group.parents[0];
    }
  }
  const byTitle = (a: GroupNode, b: GroupNode) =>
    a.group.title.localeCompare(b.group.title, 'en', { numeric: true }) || (a.group.ref < b.group.ref ? -1 : 1);
  for (const node of nodes.values()) node.children.sort(byTitle);
  return roots.sort(byTitle);
}

/** Of each cycle the ref that comes first, where it is cut. */
function cycleHeads(above: ReadonlyMap<string, string>): string[] {
  const heads: string[] = [];
  const seen = new Map<string, number>(); // in which walk
  let walk = 0;
  for (const start of above.keys()) {
    walk++;
    let at: string | undefined = start;
    while (at !== undefined && !seen.has(at)) {
      seen.set(at, walk);
      at = above.get(at);
    }
    if (at === undefined || seen.get(at) !== walk) continue;
    let head = at;
    for (let r = above.get(at); r !== undefined && r !== at; r = above.get(r)) if (r < head) head = r;
    heads.push(head);
  }
  return heads;
}

/** The groups that match, with those above them. */
export function matching(forest: readonly GroupNode[], query: string): GroupNode[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...forest];
  const fits = ({ title, ref, type }: Group) => {
    const text = `${title} ${ref} ${type}`.toLowerCase();
    return words.every((w) => text.includes(w));
  };
  const keep = (nodes: readonly GroupNode[]): GroupNode[] =>
    nodes.flatMap((n) => {
      const children = keep(n.children);
      return children.length > 0 || fits(n.group) ? [{ ...n, children }] : [];
    });
  return keep(forest);
}

/** A line of the tree as it is shown. */
export type TreeRow = { node: GroupNode; level: number; position: number; size: number; parent: number };

/** The lines that are to be seen, from top to bottom. parent is the index of the line above which it hangs, or -1. */
export function treeRows(forest: readonly GroupNode[], open: (node: GroupNode, level: number) => boolean): TreeRow[] {
  const rows: TreeRow[] = [];
  const add = (nodes: readonly GroupNode[], level: number, parent: number) => {
    nodes.forEach((node, i) => {
      rows.push({ node, level, position: i + 1, size: nodes.length, parent });
      if (node.children.length > 0 && open(node, level)) add(node.children, level + 1, rows.length - 1);
    });
  };
  add(forest, 1, -1);
  return rows;
}

/** Sums a count of each group over it and all groups below it. */
export function totals(forest: readonly GroupNode[], count: (ref: string) => number): Map<string, number> {
  const sums = new Map<string, number>();
  const sum = (node: GroupNode): number => {
    let n = count(node.group.ref);
    for (const child of node.children) n += sum(child);
    sums.set(node.group.ref, n);
    return n;
  };
  for (const node of forest) sum(node);
  return sums;
}

/** The node of a group, with those above it, the topmost first. */
export function findNode(
  forest: readonly GroupNode[],
  ref: string,
): { node: GroupNode; above: GroupNode[] } | undefined {
  for (const node of forest) {
    if (node.group.ref === ref) return { node, above: [] };
    const found = findNode(node.children, ref);
    if (found) return { node: found.node, above: [node, ...found.above] };
  }
  return undefined;
}
