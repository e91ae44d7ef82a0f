import { useSyncExternalStore } from 'react';

// What the browser remembers for its reader: no account is needed for it, and
// nothing of it is in the address, because it is nobody else's.

const listeners = new Set<() => void>();
const parsed = new Map<string, { raw: string | null; value: unknown }>();

function read<T>(key: string, fallback: T, valid: (v: unknown) => v is T): T {
  let raw: string | null = null;
  try {
    raw = localStorage.getItem(`waypost.${key}`);
  } catch {
    // a browser that keeps nothing
  }
  const known = parsed.get(key);
  if (known && known.raw === raw) return known.value as T;
  let value = fallback;
  try {
    const v: unknown = raw === null ? fallback : JSON.parse(raw);
    if (valid(v)) value = v;
  } catch {
    // written by something else: as if it was not there
  }
  parsed.set(key, { raw, value });
  return value;
}

function write(key: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(`waypost.${key}`);
    else localStorage.setItem(`waypost.${key}`, JSON.stringify(value));
  } catch {
    // full or refused: then it is forgotten
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('storage', listener); // from other tabs
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', listener);
  };
}

const isText = (v: unknown): v is string => typeof v === 'string';
const isTexts = (v: unknown): v is string[] => Array.isArray(v) && v.every(isText);
const none: string[] = [];

/** Ref of the team that the reader called theirs; empty if none. */
export function useMyTeam(): [string, (ref: string) => void] {
  const team = useSyncExternalStore(subscribe, () => read('team', '', isText));
  return [team, (ref) => write('team', ref || undefined)];
}

/** What the reader calls themselves when they decide something. */
export function useActor(): [string, (name: string) => void] {
  const actor = useSyncExternalStore(subscribe, () => read('actor', '', isText));
  return [actor, (name) => write('actor', name || undefined)];
}

/** Refs with a star, the latest first. */
export function useStarred(): {
  starred: string[];
  isStarred: (ref: string) => boolean;
  toggle: (ref: string) => void;
} {
  const starred = useSyncExternalStore(subscribe, () => read('starred', none, isTexts));
  return {
    starred,
    isStarred: (ref) => starred.includes(ref),
    toggle: (ref) =>
      write('starred', starred.includes(ref) ? starred.filter((r) => r !== ref) : [ref, ...starred].slice(0, 200)),
  };
}

/** Refs of entities that were looked at, the latest first. */
export function useRecent(): string[] {
  return useSyncExternalStore(subscribe, () => read('recent', none, isTexts));
}

export function rememberSeen(ref: string): void {
  const before = read('recent', none, isTexts);
  if (before[0] === ref) return;
  write('recent', [ref, ...before.filter((r) => r !== ref)].slice(0, 20));
}

export type SavedView = { name: string; search: string };
const isViews = (v: unknown): v is SavedView[] =>
  Array.isArray(v) && v.every((x) => typeof x === 'object' && x !== null && isText(x.name) && isText(x.search));
const noViews: SavedView[] = [];

/** Views of the catalog that the reader gave a name; search is the address's query. */
export function useSavedViews(): {
  views: SavedView[];
  save: (view: SavedView) => void;
  remove: (name: string) => void;
} {
  const views = useSyncExternalStore(subscribe, () => read('views', noViews, isViews));
  return {
    views,
    save: (view) => write('views', [...views.filter((v) => v.name !== view.name), view].slice(-50)),
    remove: (name) =>
      write(
        'views',
        views.filter((v) => v.name !== name),
      ),
  };
}
