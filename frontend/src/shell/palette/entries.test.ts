import { describe, expect, test } from 'vitest';
import { announcement, arrange, type Entry, fitOf, type Section, type Sources, typedRef } from './entries';

const entry = (title: string, more: Partial<Entry> = {}): Entry => ({ id: title, title, ...more });
const hrefs = { ref: (ref: string) => `/to/${ref}`, all: '/search' };
const none: Sources = { places: [], actions: [], starred: [], recent: [], found: [], total: 0 };
const ours: Sources = {
  ...none,
  places: [entry('Home', { words: 'my team' }), entry('Catalog', { words: 'services' }), entry('Teams')],
  actions: [entry('Change colours'), entry('Pick my team'), entry('Run a harvest')],
};
const drawn = (all: Section[]) => all.map((s) => `${s.title}: ${s.entries.map((e) => e.title).join(', ')}`);

describe('fit', () => {
  test.each<[string, number]>([
    ['home', 3],
    [' HOME ', 3],
    ['ho', 2],
    ['team', 1],
    ['te my', 1],
    ['eam', 0],
    ['te x', 0],
    ['', 0],
  ])('%j', (query, want) => {
    expect(fitOf({ title: 'Home', words: 'my team' }, query)).toBe(want);
  });
});

test.each([
  ['component:default/x', 'component:default/x'],
  ['Component:X', 'component:default/x'],
  [' user:shop/a.b ', 'user:shop/a.b'],
  ['x', undefined],
  ['default/x', undefined],
  ['component:', undefined],
  ['kind:a/b/c', undefined],
  ['https://example.com', undefined],
])('ref in %j is %j', (query, want) => {
  expect(typedRef(query)).toBe(want);
});

describe('nothing typed', () => {
  test('stars and what was seen come first, each once', () => {
    const a = entry('a');
    const b = entry('b');
    expect(drawn(arrange('', { ...ours, starred: [a], recent: [a, b] }, hrefs))).toEqual([
      'Starred: a',
      'Recently seen: b',
      'Pages: Home, Catalog, Teams',
      'Actions: Change colours, Pick my team, Run a harvest',
    ]);
  });
});

describe('typed', () => {
  test('the order of the server stays, and ours come after', () => {
    const found = [entry('z-team'), entry('a-team')];
    expect(drawn(arrange('my te', { ...ours, found, total: 2 }, hrefs))).toEqual([
      'Catalog: z-team, a-team',
      'Pages: Home',
      'Actions: Pick my team',
      'Search: See all results for “my te”',
    ]);
  });

  test('a page that is called so comes first', () => {
    const from = { ...ours, found: [entry('catalog-api')], total: 1 };
    expect(drawn(arrange('cat', from, hrefs))[0]).toBe('Pages: Catalog');
    expect(drawn(arrange('services', from, hrefs))[0]).toBe('Catalog: catalog-api');
  });

  test('unless something in the catalog is called exactly so', () => {
    const from = { ...ours, found: [entry('Cat')], total: 1 };
    expect(drawn(arrange('cat', from, hrefs))[0]).toBe('Catalog: Cat');
    expect(drawn(arrange('catalog', { ...ours, found: [entry('catalog')], total: 1 }, hrefs))[0]).toBe(
      'Pages: Catalog',
    );
  });

  test('a ref goes straight there, and is not listed twice', () => {
    const known = entry('Checkout', { id: 'component:default/checkout', href: '/known' });
    const got = arrange('Component:checkout', { ...none, found: [known, entry('other')], total: 2 }, hrefs);
    expect(drawn(got)).toEqual([
      'Go to: Checkout',
      'Catalog: other',
      'Search: See all results for “Component:checkout”',
    ]);
    const unknown = arrange('component:default/new', none, hrefs);
    expect(unknown[0]?.entries[0]).toMatchObject({ href: '/to/component:default/new', kind: 'component' });
  });

  test('all results are always offered, with their number', () => {
    const last = arrange('zzz', { ...none, total: 1234 }, hrefs)
      .at(-1)
      ?.entries.at(-1);
    expect(last).toMatchObject({ id: 'all', end: '1,234', href: '/search' });
  });

  test('ids are unique, whatever comes', () => {
    const found = [entry('Home', { id: 'group:default/home' }), entry('x')];
    const ids = arrange('home', { ...ours, found, total: 2 }, hrefs).flatMap((s) => s.entries.map((e) => e.id));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test('counts are said', () => {
  expect(announcement('', 0, 0)).toBe('');
  expect(announcement('x', 0, 0)).toBe('Nothing in the catalog matches');
  expect(announcement('x', 1, 1)).toBe('1 result');
  expect(announcement('x', 8, 3128)).toBe('8 of 3,128 results');
});
