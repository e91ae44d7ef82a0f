import type { Entity } from '~/api/client';
import { Outside } from '~/parts/Outside';
import { safeHref } from '~/parts/safeHref';
import classes from './Header.module.css';

type Link = NonNullable<NonNullable<Entity['metadata']>['links']>[number];

/** metadata.links; one without a title is called after its host. */
export function Links({ of }: { of: Link[] }) {
  return (
    <ul className={classes.links}>
      {of.slice(0, 12).map((link, i) => (
        <li key={i}>
          <Outside href={link.url} title={link.url}>
            {link.title || hostOf(link.url)}
          </Outside>
        </li>
      ))}
    </ul>
  );
}

function hostOf(address: string | undefined): string {
  const href = safeHref(address);
  return (href && new URL(href).host) || address || '';
}
