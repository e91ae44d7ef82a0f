import type { Entity } from '~/api/client';
import type { Ref } from '~/entity/ref';

export default function GroupOverview(_: { entity: Entity; entityRef: Ref }) {
  return null;
}
