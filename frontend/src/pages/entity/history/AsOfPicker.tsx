import { useId } from 'react';
import classes from './History.module.css';
import { localTime } from './localTime';

/** A day and hour of the reader's zone to go back to. */
export function AsOfPicker(props: { time: string | undefined; onPick: (time: string | undefined) => void }) {
  const id = useId();
  return (
    <span className={classes.picker}>
      <label htmlFor={id}>As it was on</label>
      <input
        id={id}
        type="datetime-local"
        max={localTime(new Date())}
        defaultValue={props.time ? localTime(new Date(props.time)) : ''}
        key={props.time ?? ''}
        onChange={(e) => {
          const time = new Date(e.currentTarget.value);
          // While a date is typed it goes through years that nobody means.
          if (!Number.isNaN(time.getTime()) && time.getFullYear() > 2000) props.onPick(time.toISOString());
        }}
      />
    </span>
  );
}
