import { queryOptions } from '@tanstack/react-query';
import createClient from 'openapi-fetch';
import { formatRef, type Ref } from '~/entity/ref';
import { answer } from './client';
import { ApiError } from './errors';

export type Readme = {
  path?: string;
  content?: string;
  commit?: string;
  viewUrl?: string;
  truncated?: boolean;
};

// Until the document has it; a server without it is one without READMEs.
type Paths = {
  '/v1/entities/{kind}:{namespace}/{name}/readme': {
    get: {
      parameters: { path: { kind: string; namespace: string; name: string } };
      responses: { 200: { content: { 'application/json': Readme } } };
    };
  };
};
const api = createClient<Paths>({ baseUrl: typeof location === 'undefined' ? '' : location.origin });

/** The README beside an entity's catalog file; null if there is none, or the server cannot tell. */
export function readmeQuery(ref: Ref) {
  return queryOptions({
    queryKey: ['entity', formatRef(ref), 'readme'],
    queryFn: async ({ signal }): Promise<Readme | null> => {
      try {
        const path = { kind: ref.kind, namespace: ref.namespace, name: ref.name };
        return await answer(api.GET('/v1/entities/{kind}:{namespace}/{name}/readme', { params: { path }, signal }));
      } catch (error) {
        const none = ['NOT_FOUND', 'UNIMPLEMENTED', 'FAILED_PRECONDITION'];
        if (error instanceof ApiError && (none.includes(error.code) || [404, 501].includes(error.status))) return null;
        throw error;
      }
    },
    staleTime: 5 * 60_000,
  });
}
