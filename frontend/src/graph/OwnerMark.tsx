import { markOf } from './owners';
import classes from './owners.module.css';
import { shortName } from './shape';

/** Attributes of whatever takes the colour of an owner, as --owner. */
export function hueOf(owner: string): { className: string; 'data-owner': number | undefined } {
  return { className: classes.hue ?? '', 'data-owner': owner ? markOf(owner).colour : undefined };
}

/** The mark of an owner with its name. */
export function OwnerMark(props: { owner: string }) {
  const hue = hueOf(props.owner);
  return (
    <span className={`${classes.name} ${hue.className}`} data-owner={hue['data-owner']} title={props.owner}>
      <span className={classes.mark} data-shape={markOf(props.owner).shape} aria-hidden />
      <span className="clip">{shortName(props.owner)}</span>
    </span>
  );
}
