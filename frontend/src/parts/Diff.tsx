import { Code } from './Code';
import { Copy } from './Copy';
import classes from './Diff.module.css';
import { diffLines } from './diffLines';

const long = 600;

/** A unified diff. A line says by sign, by words for those who listen, and by colour what became of it. */
export function Diff(props: { text: string; label: string; copy?: boolean }) {
  const lines = diffLines(props.text);
  if (lines.length > long) return <Code text={props.text} language="diff" label={props.label} />;
  return (
    <div className={classes.frame}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex lint/a11y/useSemanticElements: what scrolls must be reached by the keyboard; a landmark it is not */}
      <div className={classes.scroll} tabIndex={0} role="group" aria-label={props.label}>
        <pre className={classes.diff}>
          {lines.map((line, i) => (
            <span key={i} className={classes.line} data-what={line.what}>
              <span className={classes.sign} aria-hidden>
                {line.sign}
              </span>
              {line.what === 'added' || line.what === 'removed' ? <span className="sr-only">{line.what}: </span> : null}
              {line.text}
              {'\n'}
            </span>
          ))}
        </pre>
      </div>
      {props.copy ? (
        <span className={classes.copy}>
          <Copy text={props.text} label="Copy the diff" />
        </span>
      ) : null}
    </div>
  );
}
