/** How the relations of a type are headed on the page of the entity that has them. */
const words: Record<string, string> = {
  ownedBy: 'Owned by',
  ownerOf: 'Owns',
  partOf: 'Part of',
  hasPart: 'Has parts',
  dependsOn: 'Depends on',
  dependencyOf: 'Depended on by',
  providesApi: 'Provides APIs',
  apiProvidedBy: 'Provided by',
  consumesApi: 'Consumes APIs',
  apiConsumedBy: 'Consumed by',
  memberOf: 'Member of',
  hasMember: 'Members',
  childOf: 'Belongs to',
  parentOf: 'Has below it',
};

/** What it is, then what it needs and gives, then who needs it. */
const order = [
  'partOf',
  'hasPart',
  'providesApi',
  'consumesApi',
  'apiProvidedBy',
  'apiConsumedBy',
  'dependsOn',
  'dependencyOf',
  'ownedBy',
  'ownerOf',
  'memberOf',
  'hasMember',
  'childOf',
  'parentOf',
];

/** A relation type in words; one that is not known is taken apart at its capitals: deployedBy is "Deployed by". */
export function relationWords(type: string): string {
  const known = Object.hasOwn(words, type) ? words[type] : undefined;
  if (known) return known;
  const apart = type.replace(/([a-z0-9])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);
  return apart.charAt(0).toUpperCase() + apart.slice(1);
}

/** Relations by type, in the order in which people look for them; unknown types last, by name. */
export function byType<R extends { type?: string }>(relations: R[]): [type: string, relations: R[]][] {
  const groups = new Map<string, R[]>();
  for (const r of relations) {
    const type = r.type ?? '';
    const group = groups.get(type);
    if (group) group.push(r);
    else groups.set(type, [r]);
  }
  const at = (type: string) => (order.includes(type) ? order.indexOf(type) : order.length);
  return [...groups].sort(([a], [b]) => at(a) - at(b) || a.localeCompare(b));
}
