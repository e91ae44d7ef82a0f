import { Kbd, Loader, Modal } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useRouter } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import classes from './Palette.module.css';
import { announcement, type Entry } from './palette/entries';
import { Option } from './palette/Option';
import { useActions } from './palette/useActions';
import { useEntries } from './palette/useEntries';

/** Shorter than what a person notices, longer than between the letters of a fast typist's word. */
const settle = 25; // ms

/** Goes anywhere and does anything, by typing. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const [before] = useState(() => document.activeElement);
  const [typed, setTyped] = useState('');
  const [query] = useDebouncedValue(typed, settle);
  const [chosen, setChosen] = useState('');
  const waiting = useRef<{ apart: boolean } | undefined>(undefined);
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  const router = useRouter();
  const actions = useActions();
  const { sections, fresh, shown, total } = useEntries(query, actions.entries);
  const entries = sections.flatMap((s) => s.entries);
  const at = Math.max(
    0,
    entries.findIndex((e) => e.id === chosen),
  );
  const active = entries[at];
  const settled = fresh && query === typed;
  const optionId = (index: number) => `${listId}-${index}`;

  const close = () => {
    onClose();
    // Back to where one was, once the dialog is gone.
    requestAnimationFrame(() => before instanceof HTMLElement && before.focus());
  };

  const run = (entry: Entry | undefined, apart: boolean) => {
    if (!entry) return;
    if (entry.href === undefined) {
      close();
      actions.run(entry.id);
      return;
    }
    if (apart) {
      window.open(entry.href, '_blank', 'noopener');
      return;
    }
    onClose();
    if (entry.href.startsWith('/docs')) window.location.assign(entry.href);
    else {
      router.history.push(entry.href);
      requestAnimationFrame(() => document.getElementById('content')?.focus({ preventScroll: true }));
    }
  };

  // Enter before the answer is there means the best of the answer, not of the one before.
  useEffect(() => {
    if (!settled || !waiting.current) return;
    const { apart } = waiting.current;
    waiting.current = undefined;
    run(active, apart);
  });

  const move = (to: number) => {
    const n = entries.length;
    const entry = n > 0 ? entries[((to % n) + n) % n] : undefined;
    if (!entry) return;
    setChosen(entry.id);
    requestAnimationFrame(() =>
      list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' }),
    );
  };

  const onKey = (e: KeyboardEvent) => {
    if (e.nativeEvent.isComposing) return;
    const step = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: Math.min(at + 8, entries.length - 1),
      PageUp: Math.max(at - 8, 0),
    }[e.key];
    if (step !== undefined) {
      e.preventDefault();
      move(step);
    } else if (e.key === 'Enter') {
      e.preventDefault();
      const apart = e.ctrlKey || e.metaKey;
      if (settled || chosen) run(active, apart);
      else waiting.current = { apart };
    }
  };

  let index = 0;
  return (
    <Modal.Root
      opened
      onClose={close}
      size="38rem"
      yOffset="9dvh"
      returnFocus={false}
      classNames={{ content: classes.box }}
      transitionProps={{ duration: 0 }}
    >
      <Modal.Overlay backgroundOpacity={0.35} />
      <Modal.Content aria-label="Search and commands" radius="lg">
        <div className={classes.head}>
          {settled ? <IconSearch size={17} aria-hidden /> : <Loader size={17} aria-hidden />}
          <input
            className={classes.input}
            value={typed}
            onChange={(e) => {
              setTyped(e.currentTarget.value);
              setChosen('');
              waiting.current = undefined;
            }}
            onKeyDown={onKey}
            data-autofocus
            placeholder="Search services, teams, pages, actions…"
            role="combobox"
            aria-label="Search services, teams, pages and actions"
            aria-expanded={entries.length > 0}
            aria-controls={listId}
            aria-autocomplete="list"
            aria-activedescendant={active ? optionId(at) : undefined}
            autoComplete="off"
            autoCorrect="off"
            spellCheck={false}
            enterKeyHint="go"
            maxLength={1000}
          />
          <Kbd size="xs">Esc</Kbd>
        </div>
        <div id={listId} ref={list} role="listbox" aria-label="Results" className={classes.list}>
          {sections.map((s) => (
            // biome-ignore lint/a11y/useSemanticElements: a listbox may hold groups, not fieldsets
            <div key={s.title} role="group" aria-label={s.title}>
              <div className={classes.section} aria-hidden>
                {s.title}
              </div>
              {s.entries.map((entry) => {
                const i = index++;
                return (
                  <Option
                    key={entry.id}
                    id={optionId(i)}
                    entry={entry}
                    active={i === at}
                    onPoint={() => i !== at && setChosen(entry.id)}
                    onRun={(apart) => run(entry, apart)}
                  />
                );
              })}
            </div>
          ))}
        </div>
        <div className={classes.foot} aria-hidden>
          <span>
            <Kbd size="xs">↑</Kbd> <Kbd size="xs">↓</Kbd> to choose
          </span>
          <span>
            <Kbd size="xs">Enter</Kbd> to open
          </span>
          <span>
            <Kbd size="xs">{navigator.platform.startsWith('Mac') ? '⌘' : 'Ctrl'}</Kbd> <Kbd size="xs">Enter</Kbd> in a
            new tab
          </span>
        </div>
        <div role="status" className="sr-only">
          {settled ? announcement(query, shown, total) : ''}
        </div>
      </Modal.Content>
    </Modal.Root>
  );
}
