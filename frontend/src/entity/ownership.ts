import type { Tone } from '~/parts/Status';

// What the ownership plugin says, as one says it.

const sources: Record<string, string> = {
  override: 'decided by a person',
  declared: 'declared',
  codeowners: 'from CODEOWNERS',
  property: 'from a repository property',
  inherited: 'inherited',
  permission: 'from team permissions',
  activity: 'from who commits',
  paging: 'from who is paged',
  default: 'the default owner',
  none: 'nobody named one',
};

/** Where an owner comes from, to stand behind the name of it. */
export function sourceWords(source: string): string {
  return Object.hasOwn(sources, source) ? (sources[source] ?? source) : source;
}

const statuses: Record<string, [string, Tone, string]> = {
  owned: ['Owned', 'good', 'Somebody owns it, and exists.'],
  dangling: ['Declared owner is missing', 'bad', 'The declared owner is not in the catalog.'],
  disbanded: ['Owner has no members', 'bad', 'The owner has no active member any more.'],
  'single-person': ['One person', 'warn', 'All of it rests on one person.'],
  split: ['Split', 'warn', 'CODEOWNERS names several owners, and none for half of the files.'],
  unowned: ['Unowned', 'bad', 'Nobody owns it.'],
};

/** A status in words, how good that is, and what it means. */
export function statusWords(status: string): { words: string; tone: Tone; means: string } {
  const known = Object.hasOwn(statuses, status) ? statuses[status] : undefined;
  return known ? { words: known[0], tone: known[1], means: known[2] } : { words: status, tone: 'none', means: '' };
}

/** How sure one may be. The order of the sources decides the owner, not this. */
export function confidenceWords(confidence: number): string {
  if (confidence >= 0.9) return 'certain';
  if (confidence >= 0.7) return 'likely';
  if (confidence >= 0.5) return 'plausible';
  return 'a guess';
}
