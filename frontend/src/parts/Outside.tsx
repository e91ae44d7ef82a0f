import { IconExternalLink } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { safeHref } from './safeHref';

/** A link to another site, from the catalog. What may not be followed is shown as text. */
export function Outside(props: { href: string | undefined; children?: ReactNode; icon?: boolean; title?: string }) {
  const href = safeHref(props.href);
  const words = props.children ?? props.href;
  if (!href)
    return <span title={props.href ? `Not a link that may be followed: ${props.href}` : undefined}>{words}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={props.title}>
      {words}
      {props.icon === false ? null : (
        <IconExternalLink size={13} stroke={1.8} aria-hidden style={{ marginLeft: 3, verticalAlign: '-2px' }} />
      )}
      <span className="sr-only"> (another site)</span>
    </a>
  );
}
