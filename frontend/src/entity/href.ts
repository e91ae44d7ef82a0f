import type { Ref } from './ref';

/** Address of an entity's page or of one of its tabs. */
export function hrefOf(ref: Ref, tab?: string): string {
  const parts = [ref.namespace, ref.kind, ref.name, ...(tab ? [tab] : [])];
  return `/catalog/${parts.map(encodeURIComponent).join('/')}`;
}

/**
 * What makes a plain <a> lead to an entity. Lists have hundreds of them, and a <Link> follows the address
 * by itself to know whether it is the current one; these do not, and shell/followLinks serves them all.
 */
export function toEntity(ref: Ref, tab?: string): { href: string; 'data-link': true } {
  return { href: hrefOf(ref, tab), 'data-link': true };
}
