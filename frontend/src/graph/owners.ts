/** How many colours and shapes owners.module.css has. */
export const colours = 8;
export const shapes = ['circle', 'square', 'diamond'] as const;
export type Mark = { colour: number; shape: (typeof shapes)[number] };

/**
 * The mark of an owner: the same on every page and for every reader, for it comes
 * from the name alone. Shapes tell apart whom one who sees few colours, or two of
 * the same colour, could not.
 */
export function markOf(owner: string): Mark {
  let hash = 0x811c9dc5; // FNV-1a
  for (let i = 0; i < owner.length; i++) hash = Math.imul(hash ^ owner.charCodeAt(i), 0x01000193) >>> 0;
  // The low bits of short, alike names are too much alike.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  hash = (hash ^ (hash >>> 13)) >>> 0;
  return { colour: hash % colours, shape: shapes[Math.floor(hash / colours) % shapes.length] ?? 'circle' };
}
