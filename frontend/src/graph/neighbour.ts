export type Placed = { id: string; x: number; y: number };

const ways: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The node that one comes to from another with an arrow key: the nearest that way, aside counting double. */
export function neighbour(from: string, key: string, nodes: Placed[]): string | undefined {
  const way = ways[key];
  const here = nodes.find((n) => n.id === from);
  if (!way || !here) return undefined;
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const n of nodes) {
    const ahead = (n.x - here.x) * way[0] + (n.y - here.y) * way[1];
    if (n.id === from || ahead <= 1) continue;
    const aside = Math.abs((n.x - here.x) * way[1]) + Math.abs((n.y - here.y) * way[0]);
    const cost = ahead + 2 * aside;
    if (cost < least) {
      least = cost;
      best = n.id;
    }
  }
  return best;
}

/** In the order in which one reads: column by column, from above. */
export function readingOrder(a: Placed, b: Placed): number {
  return a.x - b.x || a.y - b.y || a.id.localeCompare(b.id);
}
