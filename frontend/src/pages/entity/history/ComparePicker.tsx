import { Button, NativeSelect } from '@mantine/core';
import { IconArrowsDiff } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { EntityRevision } from '~/api/client';
import type { Ref } from '~/entity/ref';
import { relativeTime } from '~/parts/Time';
import classes from './History.module.css';
import { opWords } from './words';

/** Any two revisions, to compare. */
export function ComparePicker(props: {
  entityRef: Ref;
  revisions: EntityRevision[];
  selected?: { from?: string; to?: string };
}) {
  const navigate = useNavigate();
  const [from, setFrom] = useState(props.selected?.from ?? props.revisions[1]?.revision ?? '');
  const [to, setTo] = useState(props.selected?.to ?? props.revisions[0]?.revision ?? '');
  const choices = props.revisions.map((r) => ({
    value: r.revision ?? '',
    label: `${r.revision} · ${opWords(r)[0].toLowerCase()} ${r.time ? relativeTime(new Date(r.time), new Date()) : ''}`,
  }));
  return (
    <form
      className={classes.compare}
      onSubmit={(e) => {
        e.preventDefault();
        void navigate({
          to: '/catalog/$namespace/$kind/$name/$tab',
          params: { ...props.entityRef, tab: 'history' },
          search: { from, to },
          resetScroll: false,
        });
      }}
    >
      <span>Compare</span>
      <NativeSelect
        size="xs"
        aria-label="From revision"
        data={choices}
        value={from}
        onChange={(e) => setFrom(e.currentTarget.value)}
      />
      <span>with</span>
      <NativeSelect
        size="xs"
        aria-label="To revision"
        data={choices}
        value={to}
        onChange={(e) => setTo(e.currentTarget.value)}
      />
      <Button
        type="submit"
        size="xs"
        variant="default"
        disabled={from === to}
        leftSection={<IconArrowsDiff size={14} aria-hidden />}
      >
        Compare
      </Button>
    </form>
  );
}
