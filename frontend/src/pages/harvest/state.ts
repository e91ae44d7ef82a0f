import type { Harvest } from '~/api/client';
import type { Tone } from '~/parts/Status';

/** How a harvest ended, or that it runs. */
export function harvestState(h: Harvest | undefined): { tone: Tone; words: string } {
  switch (h?.state) {
    case 'STATE_RUNNING':
      return { tone: 'info', words: 'Running' };
    case 'STATE_SUCCEEDED':
      return { tone: 'good', words: 'Succeeded' };
    case 'STATE_FAILED':
      return { tone: 'bad', words: 'Failed' };
    case 'STATE_INTERRUPTED':
      return { tone: 'warn', words: 'Interrupted' };
    case 'STATE_HELD':
      return { tone: 'warn', words: 'Held' };
    default:
      return { tone: 'none', words: 'Not yet' };
  }
}

/** What changed, such as "+12 ~3 −1"; "no change" if nothing did. */
export function changes(h: Harvest): string {
  const parts = [
    h.entitiesAdded ? `+${h.entitiesAdded}` : '',
    h.entitiesChanged ? `~${h.entitiesChanged}` : '',
    h.entitiesRemoved ? `−${h.entitiesRemoved}` : '',
  ].filter((p) => p !== '');
  return parts.length > 0 ? parts.join(' ') : 'no change';
}

/** Milliseconds from start to end, or until now while it runs. */
export function took(h: Harvest, now = Date.now()): number {
  const start = Date.parse(h.startTime ?? '');
  const end = h.endTime ? Date.parse(h.endTime) : now;
  return Number.isNaN(start) ? 0 : Math.max(0, end - start);
}

/** Share of the repositories that were seen, from 0 to 100; undefined while nobody knows how many there are. */
export function progress(h: Harvest): number | undefined {
  if (!h.repositoriesExpected) return undefined;
  return Math.min(100, (100 * (h.repositoriesSeen ?? 0)) / h.repositoriesExpected);
}

/** Milliseconds that are left if it goes on as it did; undefined if that cannot be said. */
export function left(h: Harvest, now = Date.now()): number | undefined {
  const share = progress(h);
  const spent = took(h, now);
  if (h.state !== 'STATE_RUNNING' || share === undefined || share < 2 || spent < 2000) return undefined;
  return (spent / share) * (100 - share);
}
