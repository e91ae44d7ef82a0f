import type { Entity } from '~/api/client';

/** An entity as Backstage writes it, in the order in which people write it. What is empty is left out. */
export function envelope(entity: Entity): Record<string, unknown> {
  const m = entity.metadata ?? {};
  const metadata = filled({
    name: m.name,
    namespace: m.namespace,
    title: m.title,
    description: m.description,
    labels: m.labels,
    annotations: m.annotations,
    tags: m.tags,
    links: m.links?.map((l) => filled({ url: l.url, title: l.title, icon: l.icon, type: l.type })),
    ...(m.extra as Record<string, unknown> | undefined),
    uid: entity.uid,
    etag: entity.etag,
  });
  return filled({
    apiVersion: entity.apiVersion,
    kind: entity.kind,
    metadata,
    spec: entity.spec,
    relations: entity.relations?.map((r) => ({ type: r.type, targetRef: r.targetRef })),
  });
}

function filled(of: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(of).filter(([, v]) => !isEmpty(v)));
}

function isEmpty(v: unknown): boolean {
  if (v === undefined || v === null || v === '') return true;
  return typeof v === 'object' && Object.keys(v).length === 0;
}
