import type { EntityFact, Plugin } from '~/api/client';

/** Places of facts in the declarations of their plugins, which say first what matters most. */
export function orderOf(plugins: Plugin[] | undefined): Map<string, number> {
  const keys = (plugins ?? []).flatMap((p) => p.descriptor?.facts ?? []).map((type) => type.key ?? '');
  return new Map(keys.map((key, i) => [key, i]));
}

/** Facts for people, by plugin, in the order of their declarations; those that are for rules alone are left out. */
export function byPlugin(
  facts: EntityFact[],
  order: ReadonlyMap<string, number>,
): [plugin: string, facts: EntityFact[]][] {
  const groups = new Map<string, EntityFact[]>();
  const at = (fact: EntityFact) => order.get(fact.key ?? '') ?? order.size;
  for (const fact of facts.toSorted((a, b) => at(a) - at(b))) {
    if (fact.type?.display === 'hidden') continue;
    const plugin = fact.plugin || (fact.key ?? '').split('.')[0] || 'other';
    const group = groups.get(plugin);
    if (group) group.push(fact);
    else groups.set(plugin, [fact]);
  }
  return [...groups].sort(([a], [b]) => a.localeCompare(b));
}
