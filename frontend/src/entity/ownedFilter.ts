/** The entities of some owners, as a CEL expression. */
export function ownedFilter(owners: readonly string[]): string {
  const list = owners.slice(0, 150).map((o) => JSON.stringify(o));
  return list.length === 1
    ? `${list[0]} in relations.ownedBy`
    : `relations.ownedBy.exists(o, o in [${list.join(', ')}])`;
}
