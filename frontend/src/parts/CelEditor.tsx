import {
  acceptCompletion,
  autocompletion,
  type CompletionContext,
  completionStatus,
  startCompletion,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { setDiagnostics } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import { suggest, type Vocabulary } from '~/cel/complete';
import { celLanguage } from '~/cel/language';
import { nonce } from '~/nonce';

const look = EditorView.theme({
  '&': { fontSize: '0.8125rem', backgroundColor: 'var(--wp-card)', color: 'var(--wp-text)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '1.5', maxHeight: '10rem' },
  '.cm-content': { padding: '0.45rem 0', caretColor: 'var(--wp-text)' },
  '.cm-line': { padding: '0 0.7rem' },
  '.cm-cursor': { borderLeftColor: 'var(--wp-text)' },
  '.cm-placeholder': { color: 'var(--wp-soft)' },
  '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': { background: 'var(--wp-accent-soft) !important' },
  '.cm-tooltip': {
    backgroundColor: 'var(--wp-card)',
    color: 'var(--wp-text)',
    border: '1px solid var(--wp-line)',
    borderRadius: 'var(--mantine-radius-md)',
    overflow: 'hidden',
  },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'inherit', maxHeight: '16rem' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '0.15rem 0.6rem !important' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { background: 'var(--wp-accent-soft)', color: 'var(--wp-text)' },
  '.cm-completionDetail': { color: 'var(--wp-soft)', fontStyle: 'normal', marginLeft: '1rem' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--wp-bad)',
    textUnderlineOffset: '3px',
  },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--wp-bad)' },
});

/** An editor for a CEL expression, with completion. Import it lazily: CodeMirror is big. */
export default function CelEditor(props: {
  value: string;
  label: string;
  describedBy?: string;
  placeholder?: string;
  words: Vocabulary;
  /** In UTF-16 units of the value. */
  fault?: { from: number; message: string };
  onChange: (value: string) => void;
  /** Enter; a line break is Shift+Enter. */
  onSubmit: (value: string) => void;
  autoFocus?: boolean;
}) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const now = useRef(props);
  useEffect(() => {
    now.current = props;
  });

  useEffect(() => {
    if (!host.current) return;
    const first = now.current;
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: first.value,
        extensions: [
          EditorView.cspNonce.of(nonce),
          history(),
          celLanguage,
          look,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({
            'aria-label': first.label,
            ...(first.describedBy ? { 'aria-describedby': first.describedBy } : {}),
            spellcheck: 'false',
          }),
          placeholder(first.placeholder ?? ''),
          autocompletion({ override: [(at) => complete(at, now.current.words)], icons: false }),
          Prec.highest(
            keymap.of([
              { key: 'Tab', run: acceptCompletion },
              {
                key: 'Enter',
                run: (v) => {
                  if (completionStatus(v.state) === 'active' && acceptCompletion(v)) return true;
                  now.current.onSubmit(v.state.doc.toString());
                  return true;
                },
              },
              { key: 'Ctrl-Space', run: startCompletion },
            ]),
          ),
          keymap.of([...defaultKeymap, ...historyKeymap]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) now.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    if (first.autoFocus) editor.focus();
    return () => editor.destroy();
  }, []);

  // A value from elsewhere, such as the address.
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === props.value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: props.value } });
  }, [props.value]);

  const from = props.fault?.from;
  const message = props.fault?.message;
  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const length = editor.state.doc.length;
    const start = from === undefined ? 0 : Math.min(Math.max(from, 0), Math.max(length - 1, 0));
    const word = /^[\w"'.]+|^\S/.exec(editor.state.doc.sliceString(start))?.[0].length ?? 1;
    const found =
      message === undefined || length === 0
        ? []
        : [{ from: start, to: Math.min(start + word, length), severity: 'error' as const, message }];
    editor.dispatch(setDiagnostics(editor.state, found));
  }, [from, message]);

  return <div ref={host} />;
}

function complete(at: CompletionContext, words: Vocabulary) {
  const found = suggest(at.state.doc.toString(), at.pos, words);
  if (
    !found ||
    (found.from === at.pos && !at.explicit && at.pos > 0 && !/[=(&|![,\s]$/.test(at.state.sliceDoc(0, at.pos)))
  )
    return null;
  return {
    from: found.from,
    // The closing quote that the editor may already have is written once.
    options: found.options.map((o) => ({ label: o.apply, displayLabel: o.label, detail: o.detail, type: 'variable' })),
    validFor: /^[\w.["'\]/:-]*$/,
  };
}
