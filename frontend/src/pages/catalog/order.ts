export type Order = { field: string; desc: boolean };

/** The first field of an AIP-132 order_by, which is the one that a header can show. */
export function parseOrder(text: string | undefined): Order | undefined {
  const [field, direction, more] = (text?.split(',')[0] ?? '').trim().split(/\s+/);
  if (!field || more || (direction && direction !== 'desc' && direction !== 'asc')) return undefined;
  return { field, desc: direction === 'desc' };
}

/** What a click on a header asks for: its field, then the opposite, then the order that is there without asking. */
export function nextOrder(now: string | undefined, field: string, descFirst = false): string | undefined {
  const order = parseOrder(now);
  const say = (desc: boolean) => (desc ? `${field} desc` : field);
  if (order?.field !== field) return say(descFirst);
  return order.desc === descFirst ? say(!descFirst) : undefined;
}
