import type { QueryClient } from '@tanstack/react-query';

/** How the screen stands to the server. */
export type Liveness = 'connecting' | 'live' | 'offline';

type Message = { type?: string; revision?: string; entity?: { name?: string } };

/** Changes that come together are shown together, this long after the first. */
const gather = 400; // ms
/** A hidden page gives its connection back after this long: browsers allow six to a host. */
const hiddenFor = 20_000; // ms
/** More changed entities than this at once, and everything is asked for again. */
const many = 200;

/**
 * Follows the catalog's changes over server-sent events and marks what is shown as
 * old, so that it is asked for again. It goes on from the last revision that it
 * saw, so that nothing is missed while the page was hidden or the server away.
 */
export class Live {
  #client: QueryClient;
  #source: EventSource | undefined;
  #last = '';
  #changed = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hide: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #wait = 1000;
  #state: Liveness = 'connecting';
  #listeners = new Set<() => void>();

  constructor(client: QueryClient) {
    this.#client = client;
  }

  /** Begins to follow; the returned function ends it. */
  start(): () => void {
    const visibility = () => {
      clearTimeout(this.#hide);
      if (document.visibilityState === 'hidden') this.#hide = setTimeout(() => this.#close(), hiddenFor);
      else if (!this.#source) this.#open();
    };
    const online = () => this.#reopen();
    document.addEventListener('visibilitychange', visibility);
    window.addEventListener('online', online);
    this.#open();
    return () => {
      document.removeEventListener('visibilitychange', visibility);
      window.removeEventListener('online', online);
      clearTimeout(this.#hide);
      clearTimeout(this.#timer);
      this.#close();
    };
  }

  // For useSyncExternalStore.
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  state = (): Liveness => this.#state;

  #set(state: Liveness) {
    if (this.#state === state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }

  #reopen() {
    this.#close();
    this.#open();
  }

  #close() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = undefined;
  }

  #open() {
    const query = new URLSearchParams({ readMask: 'name' });
    if (this.#last) query.set('afterRevision', this.#last);
    const source = new EventSource(`/v1/entities:watch?${query}`);
    this.#source = source;
    source.onopen = () => {
      // What was asked for while nobody listened may be old.
      if (this.#state === 'offline') this.#client.invalidateQueries();
      this.#wait = 1000;
      this.#set('live');
    };
    for (const name of ['added', 'changed', 'removed', 'bookmark'])
      source.addEventListener(name, (event) => this.#seen(event as MessageEvent<string>));
    source.onerror = () => {
      if (this.#source !== source) return;
      this.#set('offline');
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      // The server refused: it is starting or stopping, or has given up the revision.
      this.#close();
      this.#last = '';
      this.#retry = setTimeout(() => this.#open(), this.#wait);
      this.#wait = Math.min(this.#wait * 2, 30_000);
    };
  }

  #seen(event: MessageEvent<string>) {
    const message = JSON.parse(event.data) as Message;
    if (message.revision && message.revision !== '0') this.#last = message.revision;
    const ref = message.entity?.name?.replace(/^entities\//, '');
    if (!ref) return;
    this.#changed.add(ref);
    this.#timer ??= setTimeout(() => this.#tell(), gather);
  }

  #tell() {
    this.#timer = undefined;
    const changed = this.#changed;
    this.#changed = new Set();
    const all = changed.size > many;
    this.#client.invalidateQueries({
      predicate: ({ queryKey: [what, ref] }) =>
        what === 'entity' ? all || changed.has(String(ref)) : what !== 'harvest' && what !== 'plugins',
    });
  }
}
