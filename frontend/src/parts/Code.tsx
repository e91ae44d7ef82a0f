import { lazy, Suspense } from 'react';
import classes from './Code.module.css';

export type Language = 'yaml' | 'json' | 'diff' | 'text';

const Viewer = lazy(() => import('./CodeViewer'));

/** A text of a machine to read: coloured, and drawn only where it is in sight, however long it is. */
export function Code(props: {
  text: string;
  language: Language;
  /** What it is, for those who listen. */
  label: string;
  /** Such as 24rem; it scrolls inside. Without it, it is as tall as its text. */
  height?: string;
}) {
  return (
    <div className={classes.frame} style={props.height ? { maxHeight: props.height } : undefined}>
      <Suspense fallback={<pre className={classes.waiting}>{beginning(props.text)}</pre>}>
        <Viewer text={props.text} language={props.language} label={props.label} />
      </Suspense>
    </div>
  );
}

/** As much as a screen holds, until the viewer is there. */
const beginning = (text: string) => text.split('\n', 80).join('\n').slice(0, 20_000);
