import rehypeRaw from 'rehype-raw';
import MarkdownRendered, { type Rendered } from './MarkdownRendered';

const html = [rehypeRaw];

/** For Markdown in which there is HTML: its parser is as large as all the rest. */
export default function MarkdownWithHtml(props: Rendered) {
  return <MarkdownRendered {...props} html={html} />;
}
