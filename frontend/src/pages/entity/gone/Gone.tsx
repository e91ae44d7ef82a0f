import type { Ref } from '~/entity/ref';

export default function Gone(_: { entityRef: Ref }) {
  return null;
}
