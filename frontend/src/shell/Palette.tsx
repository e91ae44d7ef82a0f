import { Kbd, Loader, Modal } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useRouter } from '@tanstack/react-router';
import { Command, useCommandState } from 'cmdk';
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
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
  // Of what the reader moved to; the best of the answer until then.
  const [chosen, setChosen] = useState('');
  const moving = useRef(false);
  const apart = useRef(false);
  const waiting = useRef(false);
  const router = useRouter();
  const actions = useActions();
  const { sections, fresh, shown, total } = useEntries(query, actions.entries);
  const entries = sections.flatMap((s) => s.entries);
  const active = entries.find((e) => e.id === chosen) ?? entries[0];
  const settled = fresh && query === typed;

  const close = () => {
    onClose();
    // Back to where one was, once the dialog is gone.
    requestAnimationFrame(() => before instanceof HTMLElement && before.focus());
  };

  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    if (entry.href === undefined) {
      close();
      actions.run(entry.id);
      return;
    }
    if (apart.current) {
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
    waiting.current = false;
    run(active);
  });

  const onKey = (e: KeyboardEvent) => {
    if (e.nativeEvent.isComposing) return;
    apart.current = e.ctrlKey || e.metaKey;
    moving.current = e.key !== 'Enter';
    if (e.key === 'Enter' && !settled && !chosen) {
      e.preventDefault();
      waiting.current = true;
    }
    const page = { PageDown: 8, PageUp: -8 }[e.key];
    if (page && active) {
      e.preventDefault();
      const to = Math.min(Math.max(entries.indexOf(active) + page, 0), entries.length - 1);
      setChosen(entries[to]?.id ?? '');
    }
  };

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
        <Command
          className={classes.command}
          label="Search services, teams, pages and actions"
          shouldFilter={false}
          loop
          value={active?.id ?? ''}
          onValueChange={(id) => moving.current && setChosen(id)}
          onKeyDown={onKey}
          onPointerMove={() => {
            moving.current = true;
          }}
          onClickCapture={(e) => {
            apart.current = e.ctrlKey || e.metaKey;
          }}
        >
          <div className={classes.head}>
            {settled ? <IconSearch size={17} aria-hidden /> : <Loader size={17} aria-hidden />}
            <Command.Input
              className={classes.input}
              value={typed}
              onValueChange={(words) => {
                setTyped(words);
                setChosen('');
                moving.current = false;
                waiting.current = false;
              }}
              data-autofocus
              placeholder="Search services, teams, pages, actions…"
              enterKeyHint="go"
              maxLength={1000}
            />
            <Kbd size="xs">Esc</Kbd>
          </div>
          <Command.List label="Results" className={classes.list}>
            {sections.map((s) => (
              <Command.Group key={s.title} heading={s.title}>
                {s.entries.map((entry) => (
                  <Option key={entry.id} entry={entry} onRun={() => run(entry)} />
                ))}
              </Command.Group>
            ))}
          </Command.List>
          <Told />
        </Command>
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

/** Tells the field which option is the active one. The library does so for the moves that it made itself, and not for a new answer. */
function Told() {
  const here = useRef<HTMLSpanElement>(null);
  useCommandState((state) => [state.value, state.selectedItemId].join(' '));
  useLayoutEffect(() => {
    const root = here.current?.closest('[cmdk-root]');
    const active = root?.querySelector('[cmdk-item][aria-selected="true"]');
    if (active) root?.querySelector('[cmdk-input]')?.setAttribute('aria-activedescendant', active.id);
  });
  return <span ref={here} hidden />;
}
