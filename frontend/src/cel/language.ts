import { HighlightStyle, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { tags } from '@lezer/highlight';

const cel = StreamLanguage.define<null>({
  name: 'cel',
  token: (stream) => {
    if (stream.eatSpace()) return null;
    if (stream.match(/^\/\/.*/)) return 'comment';
    if (stream.match(/^[rRbB]{0,2}"(?:[^"\\]|\\.)*"?/) || stream.match(/^[rRbB]{0,2}'(?:[^'\\]|\\.)*'?/))
      return 'string';
    if (stream.match(/^\d+(\.\d+)?/)) return 'number';
    if (stream.match(/^(true|false|null)\b/)) return 'atom';
    if (stream.match(/^(in)\b/)) return 'keyword';
    if (stream.match(/^(entity|facts|relations|ref)\b/)) return 'variableName.special';
    if (stream.match(/^[A-Za-z_]\w*(?=\()/)) return 'keyword';
    if (stream.match(/^[A-Za-z_]\w*/)) return 'variableName';
    if (stream.match(/^(&&|\|\||[=!<>]=?)/)) return 'operator';
    stream.next();
    return null;
  },
});

const style = HighlightStyle.define([
  { tag: tags.string, color: 'var(--wp-good)' },
  { tag: [tags.number, tags.atom], color: 'var(--wp-info)' },
  { tag: [tags.keyword, tags.operator], color: 'var(--wp-accent)' },
  { tag: tags.special(tags.variableName), fontWeight: '600' },
  { tag: tags.comment, color: 'var(--wp-soft)' },
]);

export const celLanguage = [cel, syntaxHighlighting(style)];
