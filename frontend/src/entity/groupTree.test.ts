import { describe, expect, test } from 'vitest';
import type { Entity } from '~/api/client';
import { buildForest, findNode, type Group, type GroupNode, matching, readGroups, totals, treeRows } from './groupTree';

const group = (name: string, ...parents: string[]): Group => ({
  ref: `group:default/${name}`,
  title: name,
  type: 'team',
  description: '',
  parents: parents.map((p) => `group:default/${p}`),
});

// What a server could send, whatever the types say of specs.
const read = (...entities: unknown[]) => readGroups(entities as Entity[]);

const drawn = (nodes: GroupNode[]): string =>
  nodes.map((n) => n.group.title + (n.children.length > 0 ? `(${drawn(n.children)})` : '')).join(' ');

function all(nodes: readonly GroupNode[]): GroupNode[] {
  return nodes.flatMap((n) => [n, ...all(n.children)]);
}

describe('reading', () => {
  test('parent and children say the same, and refs may be short', () => {
    const groups = read(
      { name: 'entities/group:default/a', metadata: { name: 'a' }, spec: { children: ['b', 'group:default/C', 'x'] } },
      { name: 'entities/group:default/b', metadata: { name: 'b' }, spec: { parent: 'A' } },
      { name: 'entities/group:default/c', metadata: { name: 'c', title: 'See' }, spec: { type: 'squad' } },
    );
    expect(drawn(buildForest(groups))).toBe('a(b See)');
    expect(groups[1]?.parents).toEqual(['group:default/a']);
    expect(groups[2]?.type).toBe('squad');
  });

  test('specs may hold anything', () => {
    const groups = read(
      { name: 'entities/group:default/a', spec: { parent: 7, children: 'b', type: { x: 1 }, profile: [] } },
      { name: 'entities/group:default/b', spec: { parent: ['a'], children: [null, 3, {}], profile: null } },
      { name: 'entities/group:default/c' },
    );
    expect(drawn(buildForest(groups))).toBe('a b c');
    expect(groups[0]?.type).toBe('');
  });

  test('a namespace of its own is where short names are looked for', () => {
    const groups = read(
      { name: 'entities/group:shop/a', metadata: { name: 'a' } },
      { name: 'entities/group:shop/b', metadata: { name: 'b' }, spec: { parent: 'a' } },
      { name: 'entities/group:default/c', metadata: { name: 'c' }, spec: { parent: 'a' } },
    );
    expect(drawn(buildForest(groups))).toBe('a(b) c');
  });
});

describe('building', () => {
  test('a group without a parent is a root, and so is one whose parent is gone', () => {
    const forest = buildForest([group('b', 'a'), group('a'), group('lost', 'nowhere')]);
    expect(drawn(forest)).toBe('a(b) lost');
    expect(forest[1]?.orphanOf).toBe('group:default/nowhere');
    expect(forest[0]?.orphanOf).toBeUndefined();
  });

  test('a cycle is cut at its first ref', () => {
    const forest = buildForest([group('c', 'b'), group('b', 'a'), group('a', 'c'), group('d', 'b')]);
    expect(drawn(forest)).toBe('a(b(c d))');
    expect(forest[0]?.cyclic).toBe(true);
    expect(all(forest).filter((n) => n.cyclic)).toHaveLength(1);
  });

  test('its own parent', () => {
    expect(drawn(buildForest([group('a', 'a')]))).toBe('a');
  });

  test('numbers are in their order', () => {
    expect(drawn(buildForest([group('team 10'), group('team 9')]))).toBe('team 9 team 10');
  });
});

test('any graph of groups becomes trees with each group exactly once, the same whatever the order', () => {
  let seed = 7;
  const random = (n: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % n;
  };
  for (let round = 0; round < 400; round++) {
    const n = 1 + random(14);
    const groups = Array.from({ length: n }, (_, i) =>
      group(`g${i}`, ...Array.from({ length: random(3) }, () => `g${random(n + 2)}`)),
    );
    const forest = buildForest(groups);
    const refs = all(forest).map((x) => x.group.ref);
    expect(refs.toSorted()).toEqual(groups.map((g) => g.ref).toSorted());
    // Each hangs below a parent that it named.
    for (const node of all(forest)) for (const c of node.children) expect(c.group.parents).toContain(node.group.ref);
    // Only what has no parent that exists, or is in a cycle, is a root.
    for (const root of forest) expect(root.cyclic || root.group.parents.every((p) => !refs.includes(p))).toBe(true);
    expect(drawn(buildForest(groups.toReversed()))).toBe(drawn(forest));
    const sums = totals(forest, () => 1);
    expect(forest.reduce((s, r) => s + (sums.get(r.group.ref) ?? 0), 0)).toBe(n);
  }
});

test('thousands in one line do not hurt', () => {
  const groups = Array.from({ length: 2000 }, (_, i) => (i === 0 ? group('g0') : group(`g${i}`, `g${i - 1}`)));
  const forest = buildForest(groups);
  expect(treeRows(forest, () => true)).toHaveLength(2000);
  expect(findNode(forest, 'group:default/g1999')?.above).toHaveLength(1999);
});

describe('showing', () => {
  const forest = buildForest([
    group('eng'),
    group('pay', 'eng'),
    group('cards', 'pay'),
    group('ship', 'eng'),
    group('ops'),
  ]);

  test('what matches keeps those above it', () => {
    expect(drawn(matching(forest, 'CARD'))).toBe('eng(pay(cards))');
    expect(drawn(matching(forest, ' '))).toBe(drawn(forest));
    expect(drawn(matching(forest, 'team sh'))).toBe('eng(ship)');
    expect(matching(forest, 'nothing')).toEqual([]);
    expect(drawn(forest)).toBe('eng(pay(cards) ship) ops'); // not changed
  });

  test('rows know their place', () => {
    const rows = treeRows(forest, (n) => n.group.title !== 'pay');
    expect(rows.map((r) => [r.node.group.title, r.level, r.position, r.size, r.parent])).toEqual([
      ['eng', 1, 1, 2, -1],
      ['pay', 2, 1, 2, 0],
      ['ship', 2, 2, 2, 0],
      ['ops', 1, 2, 2, -1],
    ]);
  });

  test('totals count what is below', () => {
    const sums = totals(forest, (ref) => (ref.endsWith('cards') ? 5 : 1));
    expect(sums.get('group:default/eng')).toBe(8);
    expect(sums.get('group:default/cards')).toBe(5);
  });
});
