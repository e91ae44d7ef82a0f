import { Markdown } from '~/parts/Markdown';
import classes from './Definition.module.css';

/** What a definition says in words, which by its standard are Markdown. */
export function Words({ text }: { text: string }) {
  return (
    <div className={classes.text}>
      <Markdown text={text} from={4} />
    </div>
  );
}
