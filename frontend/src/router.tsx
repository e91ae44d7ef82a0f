import { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { entityQuery, worthRetrying } from './api/queries';
import { refOfParams } from './entity/ref';
import { catalogSearch } from './pages/catalog/search';
import { Crashed } from './parts/Failure';
import { NotFound } from './parts/NotFound';
import { Shell } from './shell/Shell';

export const queryClient = new QueryClient({
  defaultOptions: {
    // What changes is told by live.ts; age alone makes nothing worth asking for again.
    queries: { staleTime: 60_000, retry: worthRetrying, retryDelay: (n) => 500 * 2 ** n, refetchOnWindowFocus: false },
  },
});

type Search = Record<string, unknown>;

// What an address may say; each part may be left out.
type Texts<K extends string> = { [P in K]?: string };
const textsOf =
  <K extends string>(...names: K[]) =>
  (s: Search): Texts<K> => {
    const out: Texts<K> = {};
    for (const n of names) out[n] = text(s[n]);
    return out;
  };
const text = (v: unknown): string | undefined => (typeof v === 'string' && v !== '' ? v : undefined);
const number = (v: unknown): number | undefined => (Number.isFinite(Number(v)) && v !== '' ? Number(v) : undefined);
const texts = (v: unknown): string[] | undefined => {
  const all = (Array.isArray(v) ? v : [v]).filter((x): x is string => typeof x === 'string' && x !== '');
  return all.length > 0 ? all : undefined;
};

/** What the tabs of an entity keep in the address; each uses what it needs. */
export type EntitySearch = Texts<'direction' | 'view' | 'root' | 'from' | 'to' | 'asOf' | 'format' | 'q'> & {
  depth?: number;
  kinds?: string[];
  relations?: string[];
};

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: Crashed,
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: textsOf('team'),
  component: lazyRouteComponent(() => import('./pages/home/Home')),
});

const catalog = createRoute({
  getParentRoute: () => root,
  path: '/catalog',
  validateSearch: catalogSearch,
  component: lazyRouteComponent(() => import('./pages/catalog/Catalog')),
});

// Backstage's order of the parts, so that its bookmarks and chat links go on working.
const entity = createRoute({
  getParentRoute: () => root,
  path: '/catalog/$namespace/$kind/$name',
  // While the pointer is on the way to a link, and beside the code; the page itself waits for what it needs.
  loader: ({ context, params }) => void context.client.prefetchQuery(entityQuery(refOfParams(params))),
  component: lazyRouteComponent(() => import('./pages/entity/EntityPage')),
});

const entityTab = createRoute({
  getParentRoute: () => entity,
  path: '$tab',
  validateSearch: (s: Search): EntitySearch => ({
    ...textsOf('direction', 'view', 'root', 'from', 'to', 'asOf', 'format', 'q')(s),
    depth: number(s.depth),
    kinds: texts(s.kinds),
    relations: texts(s.relations),
  }),
});

const entityIndex = createRoute({ getParentRoute: () => entity, path: '/' });

const teams = createRoute({
  getParentRoute: () => root,
  path: '/teams',
  validateSearch: textsOf('q'),
  component: lazyRouteComponent(() => import('./pages/teams/Teams')),
});

const systems = createRoute({
  getParentRoute: () => root,
  path: '/systems',
  validateSearch: textsOf('q'),
  component: lazyRouteComponent(() => import('./pages/systems/Systems')),
});

const search = createRoute({
  getParentRoute: () => root,
  path: '/search',
  validateSearch: textsOf('q', 'kind'),
  component: lazyRouteComponent(() => import('./pages/search/Search')),
});

const problems = createRoute({
  getParentRoute: () => root,
  path: '/problems',
  validateSearch: textsOf('owner', 'repository', 'source', 'code', 'severity', 'state', 'by'),
  component: lazyRouteComponent(() => import('./pages/problems/Problems')),
});

const ownership = createRoute({
  getParentRoute: () => root,
  path: '/ownership',
  validateSearch: textsOf('by', 'status', 'path', 'repository'),
  component: lazyRouteComponent(() => import('./pages/ownership/OwnershipReport')),
});

const harvest = createRoute({
  getParentRoute: () => root,
  path: '/harvest',
  validateSearch: textsOf('source', 'view', 'register'),
  component: lazyRouteComponent(() => import('./pages/harvest/HarvestPage')),
});

const plugins = createRoute({
  getParentRoute: () => root,
  path: '/plugins',
  validateSearch: textsOf('plugin'),
  component: lazyRouteComponent(() => import('./pages/plugins/Plugins')),
});

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    catalog,
    entity.addChildren([entityIndex, entityTab]),
    teams,
    systems,
    search,
    problems,
    ownership,
    harvest,
    plugins,
  ]),
  context: { client: queryClient },
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0, // the query cache knows what is old
  defaultPendingMs: 200,
  scrollRestoration: true,
  defaultNotFoundComponent: NotFound,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
