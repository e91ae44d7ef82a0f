import createClient from 'openapi-fetch';
import { ApiError, readError, unreachable } from './errors';
import type { components, paths } from './schema.gen';

type Schemas = components['schemas'];
export type Entity = Schemas['waypost.catalog.v1.Entity'];
export type Relation = Schemas['waypost.catalog.v1.Relation'];
export type Problem = Schemas['waypost.catalog.v1.Problem'];
export type Facet = Schemas['waypost.catalog.v1.Facet'];
export type SearchResult = Schemas['waypost.catalog.v1.SearchResult'];
export type Highlight = Schemas['waypost.catalog.v1.Highlight'];
export type Graph = Schemas['waypost.catalog.v1.GetGraphResponse'];
export type EntityRevision = Schemas['waypost.catalog.v1.EntityRevision'];
export type FieldChange = Schemas['waypost.catalog.v1.FieldChange'];
export type Harvest = Schemas['waypost.harvest.v1.Harvest'];
export type Source = Schemas['waypost.harvest.v1.Source'];
export type Job = Schemas['waypost.harvest.v1.Job'];
export type Plugin = Schemas['waypost.plugin.v1.Plugin'];
export type FactType = Schemas['waypost.plugin.v1.FactType'];
export type EntityFact = Schemas['waypost.plugin.v1.EntityFact'];
export type Ownership = Schemas['waypost.ownership.v1.Ownership'];
export type Owned = Schemas['waypost.ownership.v1.Owned'];
export type Candidate = Schemas['waypost.ownership.v1.Candidate'];

/** The REST API, typed by the server's own OpenAPI document. Do not call it directly in pages: see queries.ts. */
export const api = createClient<paths>({ baseUrl: typeof location === 'undefined' ? '' : location.origin });

/** Waits for a call of `api` and returns its body, or throws an ApiError. */
export async function answer<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let got: { data?: T; error?: unknown; response: Response };
  try {
    got = await call;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw cause instanceof ApiError ? cause : unreachable(cause);
  }
  if (got.error !== undefined || got.data === undefined) throw readError(got.error, got.response);
  return got.data;
}
