import classes from './Avatar.module.css';
import { initials, tintOf } from './initials';

/** Initials in a tinted circle, or square for a team; pictures from elsewhere are not loaded. Beside the name, so silent. */
export function Avatar(props: { name: string; of: string; large?: boolean; square?: boolean }) {
  return (
    <span
      aria-hidden
      className={classes.avatar}
      data-tint={tintOf(props.of, 3)}
      data-large={props.large || undefined}
      data-square={props.square || undefined}
    >
      {initials(props.name)}
    </span>
  );
}
