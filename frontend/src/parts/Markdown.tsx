import { lazy, Suspense } from 'react';
import classes from './Markdown.module.css';

const Rendered = lazy(() => import('./MarkdownRendered'));

/** Something of it is more than words. */
const marks = /[*_`#[\]<>|~]|^\s*(\d+\.|[-+])\s|\n|https?:|www\./m;

/**
 * Markdown by strangers: no scripts, no styles, no pictures from elsewhere. What
 * is plain is shown at once; the rest needs a library that is loaded when it is
 * needed, and stands there as text until then.
 */
export function Markdown(props: {
  text: string;
  /** Address of the file, to which its relative links belong. */
  base?: string;
  /** Level of its highest heading, below those of the page. */
  from?: 2 | 3 | 4;
}) {
  const plain = (
    <div className={classes.markdown}>
      <p className={classes.plain}>{props.text}</p>
    </div>
  );
  if (!marks.test(props.text)) return plain;
  return (
    <Suspense fallback={plain}>
      <div className={classes.markdown}>
        <Rendered text={props.text} base={props.base} from={props.from ?? 3} />
      </div>
    </Suspense>
  );
}
