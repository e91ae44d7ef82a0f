import type { Highlight } from '~/api/client';
import { formatRef, parseRef } from '~/entity/ref';

/** Something that the palette can do for its reader. */
export type Entry = {
  id: string;
  title: string;
  /** Ranges of title that matched, in bytes of UTF-8. */
  ranges?: Highlight['ranges'];
  /** Beside the title, softly. */
  about?: string;
  /** At the end of the line. */
  end?: string;
  /** Other words by which it is found. */
  words?: string;
  /** Kind of an entity, for its icon. */
  kind?: string;
  /** Where it leads; what leads nowhere acts. */
  href?: string;
};

export type Section = { title: string; entries: Entry[] };

export type Sources = {
  places: readonly Entry[];
  actions: readonly Entry[];
  starred: readonly Entry[];
  recent: readonly Entry[];
  /** What the server found, best first. */
  found: readonly Entry[];
  /** How many it found in all. */
  total: number;
};

/** How well something of ours fits what was typed: 3 is it, 2 begins with it, 1 has words that begin so, 0 does not. */
export function fitOf(entry: Pick<Entry, 'title' | 'words'>, query: string): 0 | 1 | 2 | 3 {
  const q = query.trim().toLowerCase();
  const title = entry.title.toLowerCase();
  if (q === '') return 0;
  if (title === q) return 3;
  if (title.startsWith(q)) return 2;
  const words = `${title} ${entry.words ?? ''}`.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  return q.split(/\s+/).every((part) => words.some((w) => w.startsWith(part))) ? 1 : 0;
}

/** The ref that was typed in full, kind:name or kind:namespace/name; undefined if it is none. */
export function typedRef(query: string): string | undefined {
  const text = query.trim();
  if (!/^[a-z][\w.-]*:[\w.-]+(\/[\w.-]+)?$/i.test(text)) return undefined;
  const ref = parseRef(text);
  return ref ? formatRef(ref) : undefined;
}

const fewOurs = 3;

/** What is shown for what was typed, in the order in which it is likely meant. */
export function arrange(query: string, from: Sources, hrefs: { ref: (ref: string) => string; all: string }): Section[] {
  const q = query.trim();
  if (q === '') {
    const stars = from.starred.slice(0, 6);
    const ids = new Set(stars.map((e) => e.id));
    return sections(
      ['Starred', stars],
      ['Recently seen', from.recent.filter((e) => !ids.has(e.id)).slice(0, 6)],
      ['Pages', from.places],
      ['Actions', from.actions],
    );
  }

  const ours = (all: readonly Entry[]) =>
    all
      .map((entry, i) => ({ entry, i, fit: fitOf(entry, q) }))
      .filter((x) => x.fit > 0)
      .sort((a, b) => b.fit - a.fit || a.i - b.i)
      .slice(0, fewOurs);
  const places = ours(from.places);
  const actions = ours(from.actions);
  const ref = typedRef(q);
  // What was typed in full is not offered twice.
  const found = from.found.filter((e) => e.id !== ref);
  const direct: Entry[] = [];
  if (ref) {
    const known = from.found.find((e) => e.id === ref);
    direct.push(known ?? { id: ref, title: ref, kind: parseRef(ref)?.kind, href: hrefs.ref(ref) });
  }
  const named = from.found.some((e) => e.title.toLowerCase() === q.toLowerCase());
  const best = Math.max(places[0]?.fit ?? 0, actions[0]?.fit ?? 0);
  const mine: [string, Entry[]][] = [
    ['Pages', places.map((x) => x.entry)],
    ['Actions', actions.map((x) => x.entry)],
  ];
  const theirs: [string, Entry[]] = ['Catalog', found];
  const all: Entry = {
    id: 'all',
    title: `See all results for “${q}”`,
    end: from.total > 0 ? from.total.toLocaleString('en') : undefined,
    href: hrefs.all,
  };
  // Our own few come first only if they are called so, and nothing in the catalog is.
  return best === 3 || (best === 2 && !named)
    ? sections(['Go to', direct], ...mine, theirs, ['Search', [all]])
    : sections(['Go to', direct], theirs, ...mine, ['Search', [all]]);
}

function sections(...all: [string, readonly Entry[]][]): Section[] {
  return all.flatMap(([title, entries]) => (entries.length > 0 ? [{ title, entries: [...entries] }] : []));
}

/** What is told to those who do not see the list. */
export function announcement(query: string, found: number, total: number): string {
  if (query.trim() === '') return '';
  if (total === 0) return 'Nothing in the catalog matches';
  return total > found
    ? `${found} of ${total.toLocaleString('en')} results`
    : `${total} ${total === 1 ? 'result' : 'results'}`;
}
