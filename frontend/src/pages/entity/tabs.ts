import type { Entity } from '~/api/client';

export type Tab = {
  /** In the address. */
  id: string;
  label: string;
  /** Whose facts it shows, if a plugin contributes it. */
  plugin?: string;
};

const people = ['user', 'group'];
const hasText = (entity: Entity, field: string) => {
  const v = (entity.spec as Record<string, unknown> | undefined)?.[field];
  return v !== undefined && v !== null;
};

/** The tabs that make sense for an entity: our own, then one for each plugin that says something of it. */
export function tabsOf(entity: Entity): Tab[] {
  const kind = (entity.kind ?? '').toLowerCase();
  const tabs: Tab[] = [{ id: 'overview', label: 'Overview' }];
  if (kind === 'api' || hasText(entity, 'definition')) tabs.push({ id: 'definition', label: 'Definition' });
  if (kind !== 'user' && kind !== 'location') tabs.push({ id: 'dependencies', label: 'Dependencies' });
  if (!people.includes(kind)) tabs.push({ id: 'ownership', label: 'Ownership' });
  for (const plugin of pluginsOf(entity)) tabs.push({ id: tabOfPlugin(plugin), label: title(plugin), plugin });
  tabs.push({ id: 'history', label: 'History' }, { id: 'problems', label: 'Problems' }, { id: 'raw', label: 'Raw' });
  return tabs;
}

const own = ['overview', 'definition', 'dependencies', 'ownership', 'history', 'problems', 'raw'];

/** The tab with what a plugin says; it takes the address of no tab of ours. */
export function tabOfPlugin(plugin: string): string {
  return plugin !== 'ownership' && own.includes(plugin) ? `plugin-${plugin}` : plugin;
}

/** Plugins with facts of the entity, by name. Ownership has a page of its own. */
function pluginsOf(entity: Entity): string[] {
  const names = new Set(Object.keys(entity.facts ?? {}).map((key) => key.split('.')[0] ?? ''));
  names.delete('ownership');
  names.delete('');
  return [...names].sort();
}

/** A plugin's name as a word: error-budget is "Error budget". */
export function title(plugin: string): string {
  const words = plugin.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
