import type { Job } from '~/api/client';
import type { Tone } from '~/parts/Status';

const states: Record<NonNullable<Job['state']>, [Tone, string]> = {
  STATE_UNSPECIFIED: ['none', 'Unknown'],
  STATE_WAITING: ['none', 'Waiting'],
  STATE_SCHEDULED: ['none', 'Scheduled'],
  STATE_RUNNING: ['info', 'Running'],
  STATE_RETRYING: ['warn', 'Retrying'],
  STATE_SUCCEEDED: ['good', 'Succeeded'],
  STATE_FAILED: ['bad', 'Failed'],
  STATE_CANCELLED: ['none', 'Cancelled'],
};

export function jobState(job: Job): { tone: Tone; words: string } {
  const [tone, words] = states[job.state ?? 'STATE_UNSPECIFIED'];
  return { tone, words };
}

/** What it does it to, in a line; arguments are whatever the job was given. */
export function jobSubject(job: Job): string {
  const args: Record<string, unknown> = typeof job.args === 'object' && job.args !== null ? job.args : {};
  const named = args.source ?? args.plugin ?? args.repository;
  if (typeof named === 'string') return named;
  return Object.entries(args)
    .map(([k, v]) => `${k}=${typeof v === 'string' ? v : JSON.stringify(v)}`)
    .join(' ');
}

export const mayRetry = (job: Job) => ['STATE_RETRYING', 'STATE_FAILED', 'STATE_CANCELLED'].includes(job.state ?? '');
export const mayCancel = (job: Job) =>
  ['STATE_WAITING', 'STATE_SCHEDULED', 'STATE_RUNNING', 'STATE_RETRYING'].includes(job.state ?? '');
