import { IconLinkOff } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { tip } from '~/parts/tip';
import classes from './EntityLink.module.css';
import { toEntity } from './href';
import { kindOf } from './kinds';
import { formatRef, parseRef, type Ref, shortRef } from './ref';

/** A link to an entity, with the icon of its kind. */
export function EntityLink(props: {
  of: Ref | string;
  /** In place of the name. */
  title?: ReactNode;
  /** There is no such entity. */
  missing?: boolean;
  /** Without the kind's icon. */
  plain?: boolean;
  tab?: string;
}) {
  const ref = typeof props.of === 'string' ? parseRef(props.of) : props.of;
  if (!ref) return <span>{typeof props.of === 'string' ? props.of : ''}</span>;
  const Icon = props.missing ? IconLinkOff : kindOf(ref.kind).icon;
  const words = props.title || shortRef(ref);
  if (props.missing)
    return (
      <span {...tip(`There is no ${formatRef(ref)} in the catalog`)} className={classes.link} data-missing>
        <Icon size={15} stroke={1.6} aria-hidden className={classes.icon} />
        <span className="clip">{words}</span>
        <span className="sr-only"> (does not exist)</span>
      </span>
    );
  const icon = props.plain ? null : (
    <>
      <Icon size={15} stroke={1.6} aria-hidden className={classes.icon} />
      <span className="sr-only">{kindOf(ref.kind).one} </span>
    </>
  );
  return (
    <a {...toEntity(ref, props.tab)} className={classes.link} title={formatRef(ref)}>
      {icon}
      <span className="clip">{words}</span>
    </a>
  );
}
