import type { Entity, Graph } from '~/api/client';
import { kindOf } from '~/entity/kinds';
import { ownerOf } from '~/entity/read';
import { parseRef, type Ref, shortRef } from '~/entity/ref';
import { inverseOf, leadsRight, relationSays } from './relations';

/** An entity as the graph shows it. */
export type Node = {
  ref: string;
  parsed: Ref;
  title: string;
  type: string;
  exists: boolean;
  root: boolean;
  distance: number;
  /** Ref of the owner; empty if there is none or if it is not known yet. */
  owner: string;
};

/** A relation as declared: what its source says of its target. */
export type Edge = {
  id: string;
  source: string;
  target: string;
  type: string;
  /** Ends as drawn: what left stands on is at its right. */
  left: string;
  right: string;
};

/** What is drawn, and what is not, so that nothing is left out without a word. */
export type Shape = {
  nodes: Node[];
  edges: Edge[];
  /** Not all nodes within the depth are there. */
  nodesCut: boolean;
  /** Not all relations between the outermost nodes are there. */
  edgesCut: boolean;
};

/**
 * What is drawn of an answer: nodes by distance, edges between them, each once.
 * The server looks one step further than is drawn, for it tells only of relations
 * that it walked, and those between the outermost nodes are wanted too.
 */
export function shapeOf(
  graph: Graph | undefined,
  bounds: { roots: string[]; depth: number; limit: number },
  owners: ReadonlyMap<string, string>,
): Shape {
  const nodes = new Map<string, Node>();
  const { roots, depth, limit } = bounds;
  const all = graph?.nodes ?? [];
  const near = all.filter((n) => (n.distance ?? 0) <= depth);
  for (const n of near.slice(0, limit)) {
    const parsed = parseRef(n.ref ?? '');
    if (!n.ref || !parsed || nodes.has(n.ref)) continue;
    nodes.set(n.ref, {
      ref: n.ref,
      parsed,
      title: n.title || parsed.name,
      type: n.type ?? '',
      exists: n.exists ?? false,
      root: roots.includes(n.ref),
      distance: n.distance ?? 0,
      owner: owners.get(n.ref) ?? '',
    });
  }
  const edges = new Map<string, Edge>();
  for (const e of graph?.edges ?? []) {
    const { sourceRef: source = '', targetRef: target = '', type = '' } = e;
    if (!nodes.has(source) || !nodes.has(target)) continue;
    const id = `${source} ${type} ${target}`;
    const right = leadsRight(type);
    edges.set(id, { id, source, target, type, left: right ? source : target, right: right ? target : source });
  }
  const truncated = graph?.truncated ?? false;
  const nodesCut = near.length > limit || (truncated && near.length === all.length);
  return { nodes: [...nodes.values()], edges: [...edges.values()], nodesCut, edgesCut: truncated && !nodesCut };
}

/** Owners by ref of what they own. */
export function ownersOf(entities: Entity[]): Map<string, string> {
  const out = new Map<string, string>();
  for (const entity of entities) {
    const owner = ownerOf(entity)?.ref;
    if (owner && entity.name) out.set(entity.name.replace(/^entities\//, ''), owner);
  }
  return out;
}

/** Owners with how many of the nodes they have, most first. */
export function ownerCounts(nodes: Node[]): { owner: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const n of nodes) if (n.owner) counts.set(n.owner, (counts.get(n.owner) ?? 0) + 1);
  return [...counts]
    .map(([owner, count]) => ({ owner, count }))
    .sort((a, b) => b.count - a.count || a.owner.localeCompare(b.owner));
}

/** A relation as seen from one of its ends. */
export type Seen = { edge: Edge; other: string; says: string };

/** The relations of a node, as it sees them. */
export function seenFrom(ref: string, edges: Edge[]): Seen[] {
  const out: Seen[] = [];
  for (const edge of edges) {
    if (edge.source === ref) out.push({ edge, other: edge.target, says: relationSays(edge.type) });
    else if (edge.target === ref) out.push({ edge, other: edge.source, says: relationSays(inverseOf(edge.type)) });
  }
  return out.sort((a, b) => a.says.localeCompare(b.says) || a.other.localeCompare(b.other));
}

/** A node in the list: how one comes to it from the step before. */
export type Step = { node: Node; ways: { from: Node; says: string }[] };

/** Nodes by distance from the root, each with the relations that lead to it. */
export function byDistance({ nodes, edges }: Pick<Shape, 'nodes' | 'edges'>): { distance: number; steps: Step[] }[] {
  const known = new Map(nodes.map((n) => [n.ref, n]));
  const ways = new Map<string, Step['ways']>();
  const add = (from: string, to: string, says: string) => {
    const a = known.get(from);
    const b = known.get(to);
    if (!a || !b || a.distance !== b.distance - 1) return;
    const all = ways.get(to) ?? [];
    all.push({ from: a, says });
    ways.set(to, all);
  };
  for (const e of edges) {
    add(e.source, e.target, relationSays(e.type));
    add(e.target, e.source, relationSays(inverseOf(e.type)));
  }
  const groups = new Map<number, Step[]>();
  for (const node of nodes) {
    const group = groups.get(node.distance) ?? [];
    group.push({ node, ways: ways.get(node.ref) ?? [] });
    groups.set(node.distance, group);
  }
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([distance, steps]) => ({
      distance,
      steps: steps.sort((a, b) => a.node.title.localeCompare(b.node.title) || a.node.ref.localeCompare(b.node.ref)),
    }));
}

/** All that a screen reader needs to know of a node. */
export function nodeWords(n: Node): string {
  const parts = [`${kindOf(n.parsed.kind).one} ${n.title}`];
  if (n.title !== n.parsed.name) parts.push(shortRef(n.parsed));
  if (!n.exists) parts.push('does not exist');
  if (n.type) parts.push(n.type);
  if (n.owner) parts.push(`owned by ${shortName(n.owner)}`);
  parts.push(n.root ? 'centre of the graph' : n.distance === 1 ? '1 step away' : `${n.distance} steps away`);
  return parts.join(', ');
}

/** payments for group:default/payments */
export function shortName(ref: string): string {
  const parsed = parseRef(ref);
  return parsed ? shortRef(parsed) : ref;
}
