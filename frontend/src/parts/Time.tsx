import { useSyncExternalStore } from 'react';

let minute = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One clock for all times on the page; it stands still while nobody shows one. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    minute = Date.now();
    for (const l of listeners) l();
  }, 30_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86400],
  ['month', 30 * 86400],
  ['week', 7 * 86400],
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60],
];
const long = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'long' });
const short = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });

/** "3 hours ago"; what is less than a minute away is "just now". */
export function relativeTime(then: Date, now: Date, relative = long): string {
  const seconds = (then.getTime() - now.getTime()) / 1000;
  for (const [unit, size] of steps)
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  return seconds > 5 ? 'in a moment' : 'just now';
}

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

/** The exact time in the reader's zone. */
export function exactTime(time: Date): string {
  return exact.format(time);
}

/** A time as one says it; shell/Tips shows the exact one, in the reader's zone. In long lists it is said in few letters. */
export function Time(props: { at: string | undefined; none?: string; brief?: boolean }) {
  useSyncExternalStore(subscribe, () => minute);
  const time = props.at ? new Date(props.at) : undefined;
  if (!time || Number.isNaN(time.getTime())) return <span className="soft">{props.none ?? '–'}</span>;
  return (
    <time dateTime={time.toISOString()}>
      {relativeTime(time, new Date(Math.max(minute, Date.now())), props.brief ? short : long)}
    </time>
  );
}

/** "1.4 s", "3 min 20 s" */
export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const s = milliseconds / 1000;
  if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
}
