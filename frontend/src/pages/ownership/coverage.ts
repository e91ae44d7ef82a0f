import type { components } from '~/api/schema.gen';

export type Coverage = components['schemas']['waypost.ownership.v1.Coverage'];

/** Where an owner comes from, in the order in which sources decide, with the words for it. */
export const sourceWords: Record<string, string> = {
  override: 'decided by a person',
  declared: 'declared in the catalog file',
  codeowners: 'CODEOWNERS',
  property: 'repository property',
  inherited: 'inherited from the system',
  permission: 'repository permissions',
  activity: 'recent commits',
  paging: 'paging service',
  default: 'default owner',
  none: 'nobody',
};

/** What is not as it should be, with the words for it. */
export const statusWords: Record<string, string> = {
  owned: 'owned',
  dangling: 'declared owner does not exist',
  disbanded: 'team without members',
  'single-person': 'one person only',
  split: 'CODEOWNERS is split',
  unowned: 'nobody owns it',
};

export type Share = { name: string; words: string; count: number; percent: number };

/** Counts as shares of the whole, known names first, zeros left out. The API gives int64 as text. */
export function shares(counts: Record<string, string> | undefined, words: Record<string, string>): Share[] {
  const order = Object.keys(words);
  const at = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  const all = Object.entries(counts ?? {})
    .map(([name, n]) => ({ name, words: words[name] ?? name, count: Number(n) || 0 }))
    .filter((s) => s.count > 0)
    .sort((a, b) => at(a.name) - at(b.name) || a.name.localeCompare(b.name));
  const total = all.reduce((sum, s) => sum + s.count, 0);
  return all.map((s) => ({ ...s, percent: (100 * s.count) / total }));
}

/** Share that has an owner, from 0 to 100; undefined of nothing. */
export function ownedPercent(c: Coverage | undefined): number | undefined {
  const entities = Number(c?.entities ?? 0);
  return entities > 0 ? (100 * Number(c?.owned ?? 0)) / entities : undefined;
}

/** "97 %"; what is not all is never called 100 %, and what is not nothing never 0 %. */
export function percent(p: number | undefined): string {
  if (p === undefined) return '–';
  if (p > 99 && p < 100) return '99 %';
  if (p > 0 && p < 1) return '1 %';
  return `${Math.round(p)} %`;
}
