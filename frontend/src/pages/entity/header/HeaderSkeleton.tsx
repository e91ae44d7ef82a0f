import { Skeleton } from '@mantine/core';
import { kindOf } from '~/entity/kinds';
import { formatRef, type Ref } from '~/entity/ref';
import classes from './Header.module.css';

/** What the address alone says, in the place in which the rest will stand. */
export function HeaderSkeleton({ of }: { of: Ref }) {
  const kind = kindOf(of.kind);
  return (
    <header className={classes.header}>
      <div className={classes.path}>
        <Skeleton height={12} width={180} my={4} />
      </div>
      <div className={classes.top}>
        <span className={classes.tile} aria-hidden>
          <kind.icon size={22} stroke={1.5} />
        </span>
        <div className={classes.words}>
          <div className={classes.line}>
            <h1 className={classes.title}>{of.name}</h1>
          </div>
          <div className={classes.about}>
            <span>{kind.one}</span>
            <code className="clip">{formatRef(of)}</code>
          </div>
        </div>
      </div>
      <div className={classes.facts}>
        {[90, 140, 120].map((width) => (
          <Skeleton key={width} height={36} width={width} />
        ))}
      </div>
      <Skeleton height={38} mt="md" />
    </header>
  );
}
