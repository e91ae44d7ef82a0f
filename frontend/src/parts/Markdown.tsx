import { useIntersection } from '@mantine/hooks';
import { lazy, Suspense, useState } from 'react';
import classes from './Markdown.module.css';

const Rendered = lazy(() => import('./MarkdownRendered'));
const WithHtml = lazy(() => import('./MarkdownWithHtml'));

/** Something of it is more than words. */
const marks = /[*_`#[\]<>|~]|^\s*(\d+\.|[-+])\s|\n|https?:|www\./m;

/** A tag or a comment of HTML may begin here. */
const html = /<(?!https?:)[a-z!/?]/i;

/**
 * Markdown by strangers: no scripts, no styles, no pictures from elsewhere. What
 * is plain is shown at once; the rest needs a large library that is loaded once
 * somebody is about to read it, and stands there as text until then.
 */
export function Markdown(props: {
  text: string;
  /** Address of the file, to which its relative links belong. */
  base?: string;
  /** Level of its highest heading, below those of the page. */
  from?: 2 | 3 | 4;
}) {
  const { ref, entry } = useIntersection({ rootMargin: '200px' });
  const [near, setNear] = useState(false);
  if (entry?.isIntersecting && !near) setNear(true);
  const plain = (
    <div className={classes.markdown} ref={ref}>
      <p className={classes.plain}>{props.text}</p>
    </div>
  );
  if (!near || !marks.test(props.text)) return plain;
  const Shown = html.test(props.text) ? WithHtml : Rendered;
  return (
    <Suspense fallback={plain}>
      <div className={classes.markdown}>
        <Shown text={props.text} base={props.base} from={props.from ?? 3} />
      </div>
    </Suspense>
  );
}
