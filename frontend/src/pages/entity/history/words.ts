import type { EntityRevision } from '~/api/client';
import type { Tone } from '~/parts/Status';

/** What a revision did, in a word. */
export function opWords(r: EntityRevision): [words: string, tone: Tone] {
  if (r.renamedRef && r.op !== 'OP_REMOVED') return ['Renamed', 'info'];
  switch (r.op) {
    case 'OP_ADDED':
      return ['Added', 'good'];
    case 'OP_CHANGED':
      return ['Changed', 'info'];
    case 'OP_REMOVED':
      return [r.renamedRef ? 'Renamed away' : 'Removed', 'bad'];
    case 'OP_FACTS':
      return ['Facts', 'none'];
    default:
      return ['Changed', 'none'];
  }
}

/** Who or what brought it about, in words. */
export function causeWords(cause: EntityRevision['cause']): string {
  const harvest = cause?.harvest && cause.harvest !== '0' ? ` ${cause.harvest}` : '';
  const by = cause?.actor ? ` by ${cause.actor}` : '';
  switch (cause?.via) {
    case 'harvest':
      return `harvest${harvest}${by}`;
    case 'webhook':
      return `a push${by}`;
    case 'api':
      return cause.actor ? `${cause.actor}, over the API` : 'somebody, over the API';
    case 'plugin':
      return `the plugin ${cause.actor || 'that is not named'}`;
    case 'policy':
      return 'a policy';
    default:
      return cause?.via ? `${cause.via}${by}` : '';
  }
}

export type Entry = { revision: EntityRevision } | { facts: EntityRevision[] };

/** Revisions as one reads them: what only plugins said in a row is one entry. */
export function entriesOf(revisions: EntityRevision[]): Entry[] {
  const out: Entry[] = [];
  for (const r of revisions) {
    const last = out.at(-1);
    if (r.op !== 'OP_FACTS') out.push({ revision: r });
    else if (last && 'facts' in last) last.facts.push(r);
    else out.push({ facts: [r] });
  }
  return out;
}

/** A value of a change in one line; undefined for one that is not there. */
export function valueWords(value: unknown, length = 300): string | undefined {
  if (value === undefined) return undefined;
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
