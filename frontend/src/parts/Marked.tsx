import { Fragment } from 'react';
import { pieces } from './bytes';

/** A text with what matched marked, as the search API says it. */
export function Marked(props: { text: string; ranges?: { start?: number; end?: number }[] }) {
  return (
    <>
      {pieces(props.text, props.ranges).map((p, i) =>
        p.marked ? <mark key={i}>{p.text}</mark> : <Fragment key={i}>{p.text}</Fragment>,
      )}
    </>
  );
}
