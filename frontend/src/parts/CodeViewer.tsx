import { json } from '@codemirror/lang-json';
import { yaml } from '@codemirror/lang-yaml';
import {
  codeFolding,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  StreamLanguage,
  syntaxHighlighting,
} from '@codemirror/language';
import { diff } from '@codemirror/legacy-modes/mode/diff';
import { protobuf } from '@codemirror/legacy-modes/mode/protobuf';
import { simpleMode } from '@codemirror/legacy-modes/mode/simple-mode';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import { nonce } from '~/nonce';
import type { Language } from './Code';

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName), tags.keyword], color: 'var(--wp-accent)' },
  { tag: [tags.string, tags.inserted], color: 'var(--wp-good)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--wp-info)' },
  { tag: tags.deleted, color: 'var(--wp-bad)' },
  { tag: [tags.comment, tags.meta, tags.punctuation, tags.separator], color: 'var(--wp-soft)' },
]);

const look = EditorView.theme({
  '&': { backgroundColor: 'transparent', color: 'var(--wp-text)', fontSize: '0.75rem' },
  '&.cm-focused': { outline: '2px solid var(--wp-accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '1.6' },
  '.cm-content': { padding: '0.5rem 0.75rem 0.5rem 0' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--wp-soft)', border: 'none' },
  '.cm-lineNumbers .cm-gutterElement': { minWidth: '2.4rem', fontVariantNumeric: 'tabular-nums' },
  '.cm-foldPlaceholder': { backgroundColor: 'var(--wp-sunk)', border: 'none', color: 'var(--wp-soft)' },
  '.cm-foldGutter .cm-gutterElement': { cursor: 'pointer' },
});

// CodeMirror has no mode of its own for it. Words of the language, names of
// types, strings and comments are enough to read a schema by.
const graphql = simpleMode({
  start: [
    { regex: /"{3}/, token: 'string', next: 'description' },
    { regex: /"(?:[^"\\\n]|\\.)*"/, token: 'string' },
    { regex: /#.*/, token: 'comment' },
    {
      regex:
        /\b(?:type|interface|union|enum|input|scalar|schema|directive|extend|implements|repeatable|on|query|mutation|subscription|fragment)\b/,
      token: 'keyword',
    },
    { regex: /(?:true|false|null)\b/, token: 'atom' },
    // A name whole, for something within it would else be taken for a word or a type.
    { regex: /[a-z_]\w*/, token: null },
    { regex: /-?\d+(?:\.\d+)?/, token: 'number' },
    { regex: /@\w+/, token: 'meta' },
    { regex: /\b[A-Z]\w*/, token: 'propertyName' },
  ],
  description: [
    { regex: /.*?"{3}/, token: 'string', next: 'start' },
    { regex: /.*/, token: 'string' },
  ],
});

const languages: Record<Language, () => Extension> = {
  yaml,
  json,
  diff: () => StreamLanguage.define(diff),
  graphql: () => StreamLanguage.define(graphql),
  protobuf: () => StreamLanguage.define(protobuf),
  text: () => [],
};

/** See Code; this is loaded when some is shown. */
export default function CodeViewer(props: { text: string; language: Language; label: string }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!place.current) return;
    const view = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: props.text,
        extensions: [
          EditorView.cspNonce.of(nonce),
          EditorState.readOnly.of(true),
          EditorView.editable.of(false),
          EditorView.contentAttributes.of({ tabindex: '0', 'aria-label': props.label, 'aria-readonly': 'true' }),
          lineNumbers(),
          codeFolding(),
          foldGutter(),
          keymap.of(foldKeymap),
          syntaxHighlighting(colours),
          look,
          languages[props.language](),
        ],
      }),
    });
    return () => view.destroy();
  }, [props.text, props.language, props.label]);
  return <div ref={place} />;
}
