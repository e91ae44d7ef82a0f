import classes from './Definition.module.css';

/** What a schema allows beyond its type: its limits, and the values there are. */
export function Allowed({ by }: { by: { limits: string[]; values: string[] } }) {
  return (
    <>
      {by.limits.length > 0 ? <div className="soft">{by.limits.join(' · ')}</div> : null}
      {by.values.length > 0 ? (
        <div className={classes.values}>
          {by.values.map((v, i) => (
            <code key={i}>{v}</code>
          ))}
        </div>
      ) : null}
    </>
  );
}
