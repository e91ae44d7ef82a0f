// How relations are walked in a graph. The server gives every edge in its declared
// direction; as seen from its other end it has the inverse type.

type Pair = {
  out: string;
  in: string;
  /** What one says of an edge, from its source and from its target. */
  says: [string, string];
  /** Whether the target of the edge is what the source stands on (then it is drawn at the right of it). */
  downstream: boolean;
};

const pairs: Pair[] = [
  { out: 'dependsOn', in: 'dependencyOf', says: ['depends on', 'is needed by'], downstream: true },
  { out: 'consumesApi', in: 'apiConsumedBy', says: ['consumes', 'is consumed by'], downstream: true },
  { out: 'providesApi', in: 'apiProvidedBy', says: ['provides', 'is provided by'], downstream: false },
  { out: 'partOf', in: 'hasPart', says: ['is part of', 'has part'], downstream: false },
  { out: 'ownedBy', in: 'ownerOf', says: ['is owned by', 'owns'], downstream: false },
  { out: 'memberOf', in: 'hasMember', says: ['is a member of', 'has member'], downstream: false },
  { out: 'childOf', in: 'parentOf', says: ['is below', 'is above'], downstream: false },
];

const byType = new Map(pairs.flatMap((p) => [[p.out, p] as const, [p.in, p] as const]));

/** The types that are declared outward, in the order in which they are offered. */
export const relationTypes = pairs.map((p) => p.out);

/** "depends on"; of an unknown type its words. */
export function relationSays(type: string): string {
  const pair = byType.get(type);
  if (pair) return pair.says[type === pair.out ? 0 : 1];
  return type.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
}

/** The type as seen from the other end; an unknown one is its own. */
export function inverseOf(type: string): string {
  const pair = byType.get(type);
  if (!pair) return type;
  return type === pair.out ? pair.in : pair.out;
}

/** Whether the target is drawn at the right of the source: what others stand on is at the right of them. */
export function leadsRight(type: string): boolean {
  const pair = byType.get(type);
  if (!pair) return true;
  return type === pair.out ? pair.downstream : !pair.downstream;
}

export const directions = ['both', 'out', 'in', 'impact'] as const;
export type Direction = (typeof directions)[number];

/** The types to ask the server for: as seen from where one stands, for the chosen declared types. */
export function typesToFollow(relations: string[], direction: Direction): string[] {
  const out: string[] = [];
  for (const type of relations) {
    const other = inverseOf(type);
    if (direction === 'out') out.push(type);
    else if (direction === 'in') out.push(other);
    // Who feels it when this breaks: what stands left of it, whichever way that was declared.
    else if (direction === 'impact') out.push(leadsRight(type) ? other : type);
    else out.push(type, other);
  }
  return [...new Set(out)];
}

/** What one wants to see first of a kind; owners and members are elsewhere on its page. */
export function defaultRelations(kind: string): string[] {
  if (kind === 'system' || kind === 'domain') return ['dependsOn', 'consumesApi', 'providesApi', 'partOf'];
  if (kind === 'group') return ['ownedBy', 'childOf'];
  return ['dependsOn', 'consumesApi', 'providesApi'];
}
