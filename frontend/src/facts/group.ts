import type { EntityFact } from '~/api/client';

/** Facts for people, by plugin, both by name; those that are for rules alone are left out. */
export function byPlugin(facts: EntityFact[]): [plugin: string, facts: EntityFact[]][] {
  const groups = new Map<string, EntityFact[]>();
  for (const fact of facts) {
    if (fact.type?.display === 'hidden') continue;
    const plugin = fact.plugin || (fact.key ?? '').split('.')[0] || 'other';
    const group = groups.get(plugin);
    if (group) group.push(fact);
    else groups.set(plugin, [fact]);
  }
  return [...groups].sort(([a], [b]) => a.localeCompare(b));
}
