import type { Entity } from '~/api/client';
import { formatRef, parseRef, refOf } from './ref';
import { textIn } from './text';

/** Ref of who leads a group, as its spec.lead says; empty if it does not. */
export function leadOf(group: Entity | undefined): string {
  const lead = group
    ? parseRef(textIn(group.spec, 'lead'), { kind: 'user', namespace: refOf(group).namespace })
    : undefined;
  return lead ? formatRef(lead) : '';
}
