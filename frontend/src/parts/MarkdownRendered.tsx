import { IconPhoto } from '@tabler/icons-react';
import ReactMarkdown, { type Components, type Options } from 'react-markdown';
import rehypeSanitize from 'rehype-sanitize';
import remarkGfm from 'remark-gfm';
import { levelHeadings } from './headings';
import classes from './Markdown.module.css';
import { Outside } from './Outside';
import { resolveLink } from './resolveLink';

const remark = [remarkGfm];

export type Rendered = {
  text: string;
  base: string | undefined;
  from: number;
  /** What reads the HTML in it; without, HTML is text. */
  html?: NonNullable<Options['rehypePlugins']>;
};

/** See Markdown; this is loaded when some is shown. */
export default function MarkdownRendered(props: Rendered) {
  const components: Components = {
    a: ({ href, children, title }) => (
      <Outside href={resolveLink(href, props.base)} title={title} icon={false}>
        {children}
      </Outside>
    ),
    // Pictures of other hosts would tell them who reads what.
    img: ({ src, alt }) => (
      <Outside href={resolveLink(typeof src === 'string' ? src : undefined, props.base)} icon={false}>
        <span className={classes.picture}>
          <IconPhoto size={14} stroke={1.6} aria-hidden />
          {alt || 'picture'}
        </span>
      </Outside>
    ),
    table: ({ children }) => (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
      <section className={classes.scroll} tabIndex={0} aria-label="Table">
        <table>{children}</table>
      </section>
    ),
    pre: ({ children }) => (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
      <pre tabIndex={0}>{children}</pre>
    ),
    input: ({ checked }) => (
      <span>
        {checked ? '☑' : '☐'}
        <span className="sr-only">{checked ? ' done: ' : ' to do: '}</span>
      </span>
    ),
  };
  return (
    <ReactMarkdown
      remarkPlugins={remark}
      rehypePlugins={[...(props.html ?? []), rehypeSanitize, [levelHeadings, props.from]]}
      components={components}
    >
      {props.text}
    </ReactMarkdown>
  );
}
