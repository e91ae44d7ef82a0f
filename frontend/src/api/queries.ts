import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { oneOf } from '~/cel/write';
import { formatRef, type Ref } from '~/entity/ref';
import { answer, api, type Entity } from './client';
import { ApiError } from './errors';

// The first word of a key says what can make an answer old; see live.ts:
//   entity     one entity, then its ref         entities   lists, counts, searches, graphs
//   problems   what is wrong                    harvest    sources, runs, locations, jobs
//   plugins    plugins and their runs           ownership  reports over many entities

const at = (ref: Ref) => ({ path: { kind: ref.kind, namespace: ref.namespace, name: ref.name } });

export function entityQuery(ref: Ref, asOf?: { revision?: string; time?: string }) {
  return queryOptions({
    queryKey: ['entity', formatRef(ref), 'read', asOf ?? null],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/v1/entities/{kind}:{namespace}/{name}', {
          params: { ...at(ref), query: { asOfRevision: asOf?.revision, asOfTime: asOf?.time } },
          signal,
        }),
      ),
  });
}

export type ListInput = {
  filter?: string;
  orderBy?: string;
  pageSize?: number;
  skip?: number;
  fields?: string;
  asOfTime?: string;
};

export function entitiesQuery(input: ListInput) {
  return queryOptions({
    queryKey: ['entities', 'list', input],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/v1/entities', {
          params: {
            query: {
              filter: input.filter || undefined,
              orderBy: input.orderBy || undefined,
              pageSize: input.pageSize,
              skip: input.skip || undefined,
              readMask: input.fields,
              asOfTime: input.asOfTime,
            },
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function facetsQuery(fields: string[], filter = '', limit = 100) {
  return queryOptions({
    queryKey: ['entities', 'facets', fields, filter, limit],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/v1/entities:facets', { params: { query: { fields, filter: filter || undefined, limit } }, signal }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function searchQuery(query: string, options: { filter?: string; pageSize?: number; fields?: string } = {}) {
  return queryOptions({
    queryKey: ['entities', 'search', query, options],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/v1/entities:search', {
          params: {
            query: {
              query,
              filter: options.filter || undefined,
              pageSize: options.pageSize ?? 20,
              readMask: options.fields,
            },
          },
          signal,
        }),
      ),
    enabled: query.trim() !== '',
    placeholderData: keepPreviousData,
  });
}

/** Several entities in one request; refs of which there are none come back as missing. At most 1,000 refs. */
export function batchQuery(refs: string[], fields?: string) {
  return queryOptions({
    queryKey: ['entities', 'batch', refs, fields ?? ''],
    queryFn: ({ signal }) =>
      answer(
        api.POST('/v1/entities:batchGet', {
          body: { names: refs.slice(0, 1000).map((r) => `entities/${r}`), readMask: fields },
          signal,
        }),
      ),
    enabled: refs.length > 0,
    placeholderData: keepPreviousData,
  });
}

const mostGroups = 5000;

/** All groups, with what a tree of them needs and no more: relations of a group can be thousands. */
export const groupsQuery = queryOptions({
  queryKey: ['entities', 'groups'],
  queryFn: async ({ signal }) => {
    const groups: Entity[] = [];
    let pageToken: string | undefined;
    do {
      const page = await answer(
        api.GET('/v1/entities', {
          params: {
            query: {
              filter: 'entity.kind == "Group"',
              pageSize: 500,
              pageToken,
              readMask:
                'name,metadata.name,metadata.title,metadata.description,spec.type,spec.parent,spec.children,spec.profile.displayName',
            },
          },
          signal,
        }),
      );
      groups.push(...(page.entities ?? []));
      pageToken = page.nextPageToken || undefined;
    } while (pageToken && groups.length < mostGroups);
    return groups;
  },
});

/** What changed lately over the whole catalog, newest first; what only plugins say differently is left out. */
export function changesQuery(filter: string, pageSize: number) {
  return queryOptions({
    queryKey: ['entities', 'changes', filter, pageSize],
    queryFn: ({ signal }) =>
      answer(api.GET('/v1/changes', { params: { query: { filter: filter || undefined, pageSize } }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** A page of a list or, with words, of a search; outside the cache, for exports. */
export async function pageOf(
  input: { filter: string; words: string; orderBy: string; fields: string; pageToken: string },
  signal: AbortSignal,
): Promise<{ entities: Entity[]; total: number; next: string }> {
  const query = {
    filter: input.filter || undefined,
    pageSize: 500,
    pageToken: input.pageToken || undefined,
    readMask: input.fields,
  };
  if (input.words) {
    const got = await answer(
      api.GET('/v1/entities:search', { params: { query: { ...query, query: input.words } }, signal }),
    );
    const entities = (got.results ?? []).flatMap((r) => r.entity ?? []);
    return { entities, total: got.totalSize ?? 0, next: got.nextPageToken ?? '' };
  }
  const orderBy = input.orderBy || undefined;
  const got = await answer(api.GET('/v1/entities', { params: { query: { ...query, orderBy } }, signal }));
  return { entities: got.entities ?? [], total: got.totalSize ?? 0, next: got.nextPageToken ?? '' };
}

/** All results of a search, page after page as one asks for more. */
export function searchPagesQuery(query: string, options: { filter?: string; pageSize: number; fields?: string }) {
  return infiniteQueryOptions({
    queryKey: ['entities', 'searchPages', query, options],
    queryFn: ({ signal, pageParam }) =>
      answer(
        api.GET('/v1/entities:search', {
          params: {
            query: {
              query,
              filter: options.filter || undefined,
              pageSize: options.pageSize,
              pageToken: pageParam || undefined,
              readMask: options.fields,
            },
          },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextPageToken || undefined,
    enabled: query.trim() !== '',
    placeholderData: keepPreviousData,
  });
}

/** Whether a filter is one; its fault is the query's error. */
export function filterCheckQuery(filter: string) {
  return queryOptions({
    queryKey: ['entities', 'check', filter],
    queryFn: ({ signal }) =>
      answer(api.GET('/v1/entities', { params: { query: { filter, pageSize: 1, readMask: 'name' } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function graphQuery(
  roots: string[],
  options: { depth?: number; relationTypes?: string[]; kinds?: string[]; limit?: number } = {},
) {
  return queryOptions({
    queryKey: ['entities', 'graph', roots, options],
    queryFn: ({ signal }) => answer(api.GET('/v1/graph', { params: { query: { roots, ...options } }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** Some entities, by ref, in as many calls as that needs. What does not exist is not among them. */
export function entitiesByRefQuery(refs: string[], fields: string) {
  const names = refs.map((ref) => `entities/${ref}`).sort();
  const chunk = 250;
  return queryOptions({
    queryKey: ['entities', 'batch', names, fields],
    queryFn: async ({ signal }) => {
      const calls: Promise<{ entities?: Entity[] }>[] = [];
      for (let i = 0; i < names.length; i += chunk)
        calls.push(
          answer(
            api.POST('/v1/entities:batchGet', {
              body: { names: names.slice(i, i + chunk), readMask: fields },
              signal,
            }),
          ),
        );
      return (await Promise.all(calls)).flatMap((c) => c.entities ?? []);
    },
    enabled: names.length > 0,
    placeholderData: keepPreviousData,
  });
}

/** Of the entities of these names those with which something is wrong, and how badly. */
export function levelsQuery(names: string[]) {
  const some = oneOf('metadata.name', names);
  return queryOptions({
    queryKey: ['problems', 'levels', names],
    queryFn: async ({ signal }) => {
      // Of one name there can be some in each kind and namespace.
      const of = async (level: 'error' | 'warning') => {
        const { entities = [] } = await answer(
          api.GET('/v1/entities', {
            params: {
              query: { filter: `entity.status.level == "${level}" && ${some}`, readMask: 'name', pageSize: 500 },
            },
            signal,
          }),
        );
        return entities.map((e) => [(e.name ?? '').replace(/^entities\//, ''), level] as const);
      };
      return (await Promise.all([of('error'), of('warning')])).flat();
    },
    enabled: names.length > 0,
    placeholderData: keepPreviousData,
  });
}

/** All entities that a filter selects, page after page, up to most. */
export function allEntitiesQuery(filter: string, fields: string, most = 2000) {
  return queryOptions({
    queryKey: ['entities', 'all', filter, fields, most],
    queryFn: async ({ signal }) => {
      const entities: Entity[] = [];
      let pageToken: string | undefined;
      let total = 0;
      do {
        const page = await answer(
          api.GET('/v1/entities', {
            params: { query: { filter, readMask: fields, pageSize: 500, pageToken } },
            signal,
          }),
        );
        entities.push(...(page.entities ?? []));
        total = page.totalSize ?? entities.length;
        pageToken = page.nextPageToken || undefined;
      } while (pageToken && entities.length < most);
      return { entities, total };
    },
    placeholderData: keepPreviousData,
  });
}

export type ProblemsInput = {
  entityRef?: string;
  ownerRef?: string;
  repository?: string;
  source?: string;
  code?: string;
  severity?: 'SEVERITY_ERROR' | 'SEVERITY_WARNING';
  state?: 'PROBLEM_STATE_OPEN' | 'PROBLEM_STATE_GONE';
  pageSize?: number;
};

export function problemsQuery(input: ProblemsInput) {
  return queryOptions({
    queryKey: ['problems', 'list', input],
    queryFn: ({ signal }) => answer(api.GET('/v1/problems', { params: { query: input }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** The same in pages, for lists without end. */
export function problemPagesQuery(input: ProblemsInput) {
  return infiniteQueryOptions({
    queryKey: ['problems', 'pages', input],
    queryFn: ({ signal, pageParam }) =>
      answer(api.GET('/v1/problems', { params: { query: { ...input, pageToken: pageParam || undefined } }, signal })),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });
}

export function problemSummaryQuery(by: 'source' | 'repository' | 'owner' | 'code' | 'severity') {
  return queryOptions({
    queryKey: ['problems', 'summary', by],
    queryFn: ({ signal }) => answer(api.GET('/v1/problems:summary', { params: { query: { by } }, signal })),
  });
}

export function revisionsQuery(
  ref: Ref,
  options: { pageSize?: number; withChanges?: boolean; withEntities?: boolean } = {},
) {
  return queryOptions({
    queryKey: ['entity', formatRef(ref), 'revisions', options],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/v1/entities/{kind}:{namespace}/{name}/revisions', {
          params: { ...at(ref), query: options },
          signal,
        }),
      ),
  });
}

/** The history page by page, the newest first. */
export function historyQuery(ref: Ref, pageSize = 50) {
  return infiniteQueryOptions({
    queryKey: ['entity', formatRef(ref), 'history', pageSize],
    queryFn: ({ signal, pageParam }) =>
      answer(
        api.GET('/v1/entities/{kind}:{namespace}/{name}/revisions', {
          params: { ...at(ref), query: { pageSize, withChanges: true, pageToken: pageParam || undefined } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextPageToken || undefined,
  });
}

export function diffQuery(ref: Ref, fromRevision?: string, toRevision?: string) {
  return queryOptions({
    queryKey: ['entity', formatRef(ref), 'diff', fromRevision ?? '', toRevision ?? ''],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/v1/entities/{kind}:{namespace}/{name}:diff', {
          params: { ...at(ref), query: { fromRevision, toRevision } },
          signal,
        }),
      ),
  });
}

export function factsQuery(ref: Ref) {
  return queryOptions({
    queryKey: ['entity', formatRef(ref), 'facts'],
    queryFn: ({ signal }) =>
      answer(api.GET('/v1/entities/{kind}:{namespace}/{name}/facts', { params: at(ref), signal })),
  });
}

export function ownershipQuery(ref: Ref) {
  return queryOptions({
    queryKey: ['entity', formatRef(ref), 'ownership'],
    queryFn: ({ signal }) =>
      answer(api.GET('/v1/entities/{kind}:{namespace}/{name}/ownership', { params: at(ref), signal })),
  });
}

/** What a group or user owns: itself (direct), or also through the groups below it or that it is a member of. */
export function ownedQuery(ref: Ref, direct = false) {
  return queryOptions({
    queryKey: ['ownership', 'owned', formatRef(ref), direct],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/v1/entities/{kind}:{namespace}/{name}/owned', {
          params: { ...at(ref), query: { direct: direct || undefined } },
          signal,
        }),
      ),
  });
}

export function ownershipReportQuery(filter = '', days = 30) {
  return queryOptions({
    queryKey: ['ownership', 'report', filter, days],
    queryFn: ({ signal }) =>
      answer(api.GET('/v1/ownership:report', { params: { query: { filter: filter || undefined, days } }, signal })),
  });
}

export function findOwnerQuery(repository: string, path: string) {
  return queryOptions({
    queryKey: ['ownership', 'find', repository, path],
    queryFn: ({ signal }) =>
      answer(api.GET('/v1/ownership:find', { params: { query: { repository, path: path || undefined } }, signal })),
  });
}

export const sourcesQuery = queryOptions({
  queryKey: ['harvest', 'sources'],
  queryFn: ({ signal }) => answer(api.GET('/v1/sources', { signal })),
  // While one runs its progress is what one looks at.
  refetchInterval: (q) => (q.state.data?.sources?.some((s) => s.latest?.state === 'STATE_RUNNING') ? 1000 : 30_000),
});

export function harvestsQuery(source = '', pageSize = 20) {
  return queryOptions({
    queryKey: ['harvest', 'runs', source, pageSize],
    queryFn: ({ signal }) =>
      answer(api.GET('/v1/harvests', { params: { query: { source: source || undefined, pageSize } }, signal })),
  });
}

export const locationsQuery = queryOptions({
  queryKey: ['harvest', 'locations'],
  queryFn: ({ signal }) => answer(api.GET('/v1/locations', { params: { query: { pageSize: 1000 } }, signal })),
});

export function jobsQuery(pageSize = 50) {
  return queryOptions({
    queryKey: ['harvest', 'jobs', pageSize],
    queryFn: ({ signal }) => answer(api.GET('/v1/jobs', { params: { query: { pageSize } }, signal })),
    refetchInterval: 5000,
  });
}

export const pluginsQuery = queryOptions({
  queryKey: ['plugins', 'list'],
  queryFn: ({ signal }) => answer(api.GET('/v1/plugins', { signal })),
  staleTime: 30_000,
});

export function pluginRunsQuery(plugin: string) {
  return queryOptions({
    queryKey: ['plugins', 'runs', plugin],
    queryFn: ({ signal }) =>
      answer(api.GET('/v1/plugins/{plugin}/runs', { params: { path: { plugin }, query: { pageSize: 50 } }, signal })),
  });
}

/** The server itself: its version, and how far its catalog is. */
export const serverQuery = queryOptions({
  queryKey: ['entities', 'server'],
  queryFn: ({ signal }) => answer(api.GET('/v1/server', { signal })),
});

/** Faults of the request or of rights do not go away by asking again. */
export function worthRetrying(failures: number, error: unknown): boolean {
  if (!(error instanceof ApiError)) return failures < 2;
  const passing = ['UNREACHABLE', 'UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'HTTP_502', 'HTTP_503'];
  return passing.includes(error.code) && failures < 2;
}
