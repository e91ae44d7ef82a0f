import type { QueryClient } from '@tanstack/react-query';
import { formatRef, type Ref } from '~/entity/ref';
import { answer, api } from './client';

// What a reader may change. The server tells of each change over live.ts too;
// who made it need not wait for that: see changed.

const at = (ref: Ref) => ({ path: { kind: ref.kind, namespace: ref.namespace, name: ref.name } });

/** Reads again the place that declares an entity. */
export const refresh = (ref: Ref) =>
  answer(api.POST('/v1/entities/{kind}:{namespace}/{name}:refresh', { params: at(ref), body: {} }));

export const setOverride = (
  ref: Ref,
  body: { owner: string; reason: string; actor: string; expireTime: string | undefined },
) => answer(api.PUT('/v1/entities/{kind}:{namespace}/{name}/ownership/override', { params: at(ref), body }));

export const deleteOverride = (ref: Ref) =>
  answer(api.DELETE('/v1/entities/{kind}:{namespace}/{name}/ownership/override', { params: at(ref) }));

export const verifyOwnership = (ref: Ref, actor: string) =>
  answer(api.POST('/v1/entities/{kind}:{namespace}/{name}/ownership:verify', { params: at(ref), body: { actor } }));

export const dismissDrift = (ref: Ref, body: { reason: string; actor: string }) =>
  answer(api.POST('/v1/entities/{kind}:{namespace}/{name}/ownership:dismissDrift', { params: at(ref), body }));

/** Asks again for all that a change of one entity can have changed. */
export function changed(client: QueryClient, ref: Ref): Promise<void> {
  return client.invalidateQueries({
    predicate: ({ queryKey: [what, of] }) =>
      what === 'entity' ? of === formatRef(ref) : what !== 'harvest' && what !== 'plugins',
  });
}
