import { splitHighlights } from './highlight';

/** A text with the parts that matched a search marked. */
export function Marked(props: { text: string; ranges: readonly { start?: number; end?: number }[] | undefined }) {
  return (
    <>{splitHighlights(props.text, props.ranges).map((p, i) => (p.hit ? <mark key={i}>{p.text}</mark> : p.text))}</>
  );
}
