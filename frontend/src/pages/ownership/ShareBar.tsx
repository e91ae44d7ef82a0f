import type { Share } from './coverage';
import { percent } from './coverage';
import classes from './ShareBar.module.css';

/** Parts of a whole as one bar and, with figures, as a list: nobody has to tell colours apart. */
export function ShareBar(props: { shares: Share[]; label: string }) {
  if (props.shares.length === 0) return <p className="soft">Nothing to count yet.</p>;
  return (
    <>
      <div className={classes.bar} aria-hidden>
        {props.shares.map((s) => (
          <span key={s.name} data-source={s.name} style={{ width: `${s.percent}%` }} title={`${s.words}: ${s.count}`} />
        ))}
      </div>
      <ul className={classes.list} aria-label={props.label}>
        {props.shares.map((s) => (
          <li key={s.name}>
            <span className={classes.key} data-source={s.name} aria-hidden />
            <span className={classes.words}>{s.words}</span>
            <span className="num">{s.count.toLocaleString('en')}</span>
            <span className={`num soft ${classes.percent}`}>{percent(s.percent)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
