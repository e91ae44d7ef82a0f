import type { Plugin } from '~/api/client';
import type { Tone } from '~/parts/Status';

/** How a plugin stands. */
export function pluginState(p: Plugin): { tone: Tone; words: string; why: string } {
  switch (p.state) {
    case 'STATE_OK':
      return { tone: 'good', words: 'Answers', why: '' };
    case 'STATE_FAILING':
      return {
        tone: 'warn',
        words: 'Failing',
        why: 'It failed lately and is asked more slowly. Its last good facts stay.',
      };
    case 'STATE_OPEN':
      return {
        tone: 'bad',
        words: 'Left alone',
        why: 'It failed too often and is left alone for a while. Its last good facts stay.',
      };
    case 'STATE_DOWN':
      return { tone: 'bad', words: 'Not running', why: 'Its process is not there. Its last good facts stay.' };
    default:
      return { tone: 'none', words: 'Not yet', why: '' };
  }
}

/** ROLE_ENRICH as one says it. */
export function roleName(role: string | undefined): string {
  return (role ?? '').replace(/^ROLE_/, '').toLowerCase();
}

/** A google.protobuf.Duration such as 3600s as one says it. */
export function every(text: string | undefined): string {
  const s = Number(/^(\d+(?:\.\d+)?)s$/.exec(text ?? '')?.[1] ?? Number.NaN);
  if (!Number.isFinite(s) || s <= 0) return '';
  if (s % 86400 === 0) return s === 86400 ? 'every day' : `every ${s / 86400} days`;
  if (s % 3600 === 0) return s === 3600 ? 'every hour' : `every ${s / 3600} hours`;
  if (s % 60 === 0) return s === 60 ? 'every minute' : `every ${s / 60} minutes`;
  return `every ${s} seconds`;
}
