export type Order = { field: string; desc: boolean };

/** The first field of an AIP-132 order_by, which is the one that a header can show. */
export function parseOrder(text: string | undefined): Order | undefined {
  const [field, direction, more] = (text?.split(',')[0] ?? '').trim().split(/\s+/);
  if (!field || more || (direction && direction !== 'desc' && direction !== 'asc')) return undefined;
  return { field, desc: direction === 'desc' };
}

export function sayOrder(order: Order): string {
  return order.desc ? `${order.field} desc` : order.field;
}
