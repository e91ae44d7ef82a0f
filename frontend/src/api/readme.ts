import { queryOptions } from '@tanstack/react-query';
import { formatRef, type Ref } from '~/entity/ref';
import { answer, api } from './client';
import { ApiError } from './errors';

/** The README beside an entity's catalog file; null if there is none, or its source has no files. */
export function readmeQuery(ref: Ref) {
  return queryOptions({
    queryKey: ['entity', formatRef(ref), 'readme'],
    queryFn: async ({ signal }) => {
      try {
        const path = { kind: ref.kind, namespace: ref.namespace, name: ref.name };
        return await answer(api.GET('/v1/entities/{kind}:{namespace}/{name}/readme', { params: { path }, signal }));
      } catch (error) {
        if (error instanceof ApiError && ['NOT_FOUND', 'FAILED_PRECONDITION'].includes(error.code)) return null;
        throw error;
      }
    },
    staleTime: 5 * 60_000,
    retry: false,
  });
}
