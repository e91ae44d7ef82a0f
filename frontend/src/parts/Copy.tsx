import { ActionIcon, Button } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCopy } from '@tabler/icons-react';
import { memo, useEffect, useState } from 'react';
import { copyText } from './copyText';
import { tip } from './tip';

type State = 'idle' | 'done' | 'failed';

/** Copies a text, and says that it did. With words it is a button, else a small sign. */
export const Copy = memo(function Copy(props: { text: string | (() => string); label: string; words?: string }) {
  const [state, setState] = useState<State>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timer = setTimeout(() => setState('idle'), 1600);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async () => {
    const text = typeof props.text === 'function' ? props.text() : props.text;
    setState((await copyText(text)) ? 'done' : 'failed');
  };
  const said = { idle: '', done: 'Copied', failed: 'The browser refused' }[state];
  const Icon = { idle: IconCopy, done: IconCheck, failed: IconAlertTriangle }[state];
  const status = (
    <span role="status" className="sr-only">
      {said}
    </span>
  );
  if (props.words)
    return (
      <Button
        size="xs"
        variant="default"
        leftSection={<Icon size={14} aria-hidden />}
        onClick={copy}
        aria-label={props.label}
      >
        {said || props.words}
        {status}
      </Button>
    );
  return (
    <ActionIcon
      {...tip(said || props.label)}
      variant="subtle"
      color="gray"
      size="sm"
      onClick={copy}
      aria-label={props.label}
    >
      <Icon size={14} stroke={1.7} aria-hidden />
      {status}
    </ActionIcon>
  );
});
