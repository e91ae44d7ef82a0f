import { Skeleton } from '@mantine/core';
import classes from './Rows.module.css';

/** The place of a list that is on its way. */
export function Rows(props: { label: string; count?: number; height?: number }) {
  return (
    <div className={classes.rows} role="status" aria-label={`${props.label} are loading`}>
      {Array.from({ length: props.count ?? 8 }, (_, i) => (
        <div key={i} className={classes.row} style={{ height: props.height ?? 40 }}>
          <Skeleton height={10} width={`${18 + ((i * 37) % 14)}%`} />
          <Skeleton height={10} width={`${10 + ((i * 53) % 18)}%`} />
          <Skeleton height={10} width={`${6 + ((i * 29) % 9)}%`} />
        </div>
      ))}
    </div>
  );
}
