import classes from './Bar.module.css';

/** A share from 0 to 1 as a bar, beside the figure that says it. */
export function Bar({ share }: { share: number }) {
  return (
    <span className={classes.bar} aria-hidden>
      <span style={{ width: `${Math.min(1, Math.max(0, share)) * 100}%` }} />
    </span>
  );
}
