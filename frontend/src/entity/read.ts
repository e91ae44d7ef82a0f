import type { Entity, Relation } from '~/api/client';

/** spec.FIELD if it is a text, else empty: specs are written by strangers. */
export function specText(entity: Entity | undefined, field: string): string {
  const v = (entity?.spec as Record<string, unknown> | undefined)?.[field];
  return typeof v === 'string' ? v : '';
}

/** What people call it. */
export function titleOf(entity: Entity): string {
  return entity.metadata?.title || entity.metadata?.name || entity.name || '';
}

export function relationsOf(entity: Entity | undefined, type: string): Relation[] {
  return (entity?.relations ?? []).filter((r) => r.type === type);
}

/** Ref of the effective owner: what the ownership plugin says, or else what is declared. */
export function ownerOf(entity: Entity | undefined): { ref: string; source: string; exists: boolean } | undefined {
  const facts = (entity?.facts ?? {}) as Record<string, unknown>;
  const owner = facts['ownership.owner'];
  const declared = relationsOf(entity, 'ownedBy')[0];
  if (typeof owner === 'string') {
    const source = typeof facts['ownership.source'] === 'string' ? facts['ownership.source'] : '';
    const same = relationsOf(entity, 'ownedBy').find((r) => r.targetRef === owner);
    return { ref: owner, source, exists: same?.targetExists ?? true };
  }
  if (declared?.targetRef)
    return { ref: declared.targetRef, source: 'declared', exists: declared.targetExists ?? false };
  return undefined;
}

/** Address of the line on which the entity is declared. */
export function sourceLine(entity: Entity): string | undefined {
  const view = entity.metadata?.annotations?.['backstage.io/view-url'];
  if (!view) return undefined;
  const line = entity.origin?.line;
  return line && line > 1 ? `${view}#L${line}` : view;
}
