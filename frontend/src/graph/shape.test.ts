import { describe, expect, test } from 'vitest';
import type { Graph } from '~/api/client';
import { toMermaid } from './mermaid';
import { neighbour } from './neighbour';
import { markOf } from './owners';
import { labelPoint, roundedPath } from './route';
import { byDistance, nodeWords, ownerCounts, ownersOf, seenFrom, shapeOf } from './shape';
import { viewOf } from './view';

const a = 'component:default/a';
const b = 'api:default/b';
const c = 'component:default/c';
const graph: Graph = {
  nodes: [
    { ref: a, exists: true, title: 'A' },
    { ref: b, exists: true, distance: 1 },
    { ref: c, distance: 2 },
    { ref: 'not a ref', distance: 1 },
  ],
  edges: [
    { sourceRef: a, targetRef: b, type: 'consumesApi' },
    { sourceRef: c, targetRef: b, type: 'providesApi' },
    { sourceRef: c, targetRef: b, type: 'providesApi' },
    { sourceRef: c, targetRef: 'component:default/far', type: 'dependsOn' },
  ],
};
const bounds = { roots: [a], depth: 2, limit: 10 };

describe('shape', () => {
  test('who provides stands right of what it provides; the edge keeps its declared direction', () => {
    const { nodes, edges } = shapeOf(graph, bounds, new Map([[a, 'group:default/x']]));
    expect(nodes.map((n) => [n.ref, n.root, n.exists, n.owner])).toEqual([
      [a, true, true, 'group:default/x'],
      [b, false, true, ''],
      [c, false, false, ''],
    ]);
    expect(edges.map((e) => [e.source, e.target, e.left, e.right])).toEqual([
      [a, b, a, b],
      [c, b, b, c],
    ]);
  });

  test('one step more than is drawn was asked for, and is left out', () => {
    const shape = shapeOf({ ...graph, truncated: true }, { ...bounds, depth: 1 }, new Map());
    expect(shape.nodes.map((n) => n.ref)).toEqual([a, b]);
    expect(shape.edges).toHaveLength(1);
    // What was cut off is beyond the depth: only relations may be missing.
    expect([shape.nodesCut, shape.edgesCut]).toEqual([false, true]);
  });

  test('what is cut off is told', () => {
    expect(shapeOf(graph, bounds, new Map()).nodesCut).toBe(false);
    expect(shapeOf({ ...graph, truncated: true }, bounds, new Map()).nodesCut).toBe(true);
    const few = shapeOf(graph, { ...bounds, limit: 2 }, new Map());
    expect(few.nodesCut).toBe(true);
    expect(few.nodes).toHaveLength(2);
  });

  test('nothing is nothing', () => {
    expect(shapeOf(undefined, bounds, new Map())).toEqual({ nodes: [], edges: [], nodesCut: false, edgesCut: false });
  });

  test('by distance, with the way there', () => {
    const groups = byDistance(shapeOf(graph, bounds, new Map()));
    expect(groups.map((g) => [g.distance, g.steps.map((s) => s.ways.map((w) => `${w.from.ref} ${w.says}`))])).toEqual([
      [0, [[]]],
      [1, [[`${a} consumes`]]],
      [2, [[`${b} is provided by`]]],
    ]);
  });

  test('as a node sees its relations', () => {
    const { edges } = shapeOf(graph, bounds, new Map());
    expect(seenFrom(b, edges).map((s) => [s.says, s.other])).toEqual([
      ['is consumed by', a],
      ['is provided by', c],
    ]);
  });

  test('in words', () => {
    const [first, , missing] = shapeOf(graph, bounds, new Map([[a, 'group:default/x']])).nodes;
    expect(first && nodeWords(first)).toBe('Component A, a, owned by x, centre of the graph');
    expect(missing && nodeWords(missing)).toBe('Component c, does not exist, 2 steps away');
  });
});

describe('owners', () => {
  test('come from facts before relations', () => {
    const owners = ownersOf([
      { name: `entities/${a}`, facts: { 'ownership.owner': 'group:default/x' } },
      { name: `entities/${c}`, relations: [{ type: 'ownedBy', targetRef: 'group:default/y' }] },
      { name: `entities/${b}` },
    ]);
    expect([...owners]).toEqual([
      [a, 'group:default/x'],
      [c, 'group:default/y'],
    ]);
    expect(ownerCounts(shapeOf(graph, bounds, owners).nodes)).toEqual([
      { owner: 'group:default/x', count: 1 },
      { owner: 'group:default/y', count: 1 },
    ]);
  });

  test('marks are stable and spread', () => {
    const marks = Array.from({ length: 240 }, (_, i) => markOf(`group:default/team-${i}`));
    expect(markOf('group:default/team-7')).toEqual(marks[7]);
    const counts = new Map<string, number>();
    for (const m of marks) counts.set(`${m.colour} ${m.shape}`, (counts.get(`${m.colour} ${m.shape}`) ?? 0) + 1);
    expect(counts.size).toBe(24);
    expect(Math.max(...counts.values())).toBeLessThan(25);
  });
});

test('Mermaid: what is written by strangers stays text', () => {
  const hostile: Graph = { nodes: [{ ref: a, exists: true, title: '"]; click n0 "javascript:x"' }] };
  const text = toMermaid(shapeOf(hostile, bounds, new Map()));
  expect(text).toContain('n0(["#34;#93;#59; click n0 #34;javascript:x#34;<br/>component:default/a"])');
  expect(toMermaid(shapeOf(graph, bounds, new Map()))).toContain('n2 -->|"provides"| n1');
});

test('arrow keys go to the nearest that way', () => {
  const nodes = [
    { id: 'a', x: 0, y: 0 },
    { id: 'b', x: 100, y: 0 },
    { id: 'c', x: 100, y: 90 },
    { id: 'd', x: 0, y: 50 },
  ];
  expect(neighbour('a', 'ArrowRight', nodes)).toBe('b');
  expect(neighbour('a', 'ArrowDown', nodes)).toBe('d');
  expect(neighbour('a', 'ArrowLeft', nodes)).toBeUndefined();
  expect(neighbour('a', 'x', nodes)).toBeUndefined();
});

test('routes have round corners, and labels where there is room', () => {
  const points = [
    { x: 0, y: 0 },
    { x: 20, y: 0 },
    { x: 20, y: 100 },
    { x: 30, y: 100 },
  ];
  expect(roundedPath(points, 5)).toBe('M0,0L15,0Q20,0 20,5L20,95Q20,100 25,100L30,100');
  expect(labelPoint(points)).toEqual({ x: 20, y: 50 });
  expect(roundedPath([])).toBe('');
});

test('an odd address is read as far as it goes', () => {
  expect(viewOf({ depth: 99, direction: 'sideways', relations: ['x'], kinds: ['API'] }, a, 'component')).toEqual({
    root: a,
    depth: 5,
    direction: 'both',
    relations: ['dependsOn', 'consumesApi', 'providesApi'],
    kinds: ['api'],
    list: false,
  });
});
