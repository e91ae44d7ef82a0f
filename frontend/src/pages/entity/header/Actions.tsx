import { Button, Loader } from '@mantine/core';
import { IconCheck, IconChevronDown, IconFileCode } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { changed, refresh } from '~/api/changes';
import type { Entity } from '~/api/client';
import { ApiError } from '~/api/errors';
import { sourceLine } from '~/entity/read';
import type { Ref } from '~/entity/ref';
import { copyText } from '~/parts/copyText';
import { MenuButton } from '~/parts/MenuButton';
import { safeHref } from '~/parts/safeHref';
import classes from './Header.module.css';

/** What one can do with an entity. */
export function Actions({ entity, entityRef }: { entity: Entity; entityRef: Ref }) {
  const client = useQueryClient();
  const reading = useMutation({
    mutationFn: () => refresh(entityRef),
    onSuccess: () => changed(client, entityRef),
  });
  const [copied, setCopied] = useState('');
  const source = safeHref(sourceLine(entity));
  const edit = safeHref(entity.metadata?.annotations?.['backstage.io/edit-url']);
  const say = copied || sayOf(reading);
  // What went well need not stand there for ever.
  const { isSuccess, reset } = reading;
  useEffect(() => {
    if (!copied && !isSuccess) return;
    const timer = setTimeout(() => {
      setCopied('');
      if (isSuccess) reset();
    }, 4000);
    return () => clearTimeout(timer);
  }, [copied, isSuccess, reset]);
  return (
    <div className={classes.actions}>
      <Button.Group>
        {source ? (
          <Button
            component="a"
            href={source}
            target="_blank"
            rel="noopener noreferrer nofollow"
            variant="default"
            size="xs"
            className={classes.source}
            leftSection={<IconFileCode size={15} stroke={1.7} aria-hidden />}
          >
            Source
            <span className="sr-only"> (another site)</span>
          </Button>
        ) : null}
        <MenuButton
          load={() => import('./ActionItems')}
          give={{
            entityRef,
            edit,
            read: () => reading.mutate(),
            copy: () => void copyText(location.href).then((ok) => setCopied(ok ? 'Link copied' : location.href)),
          }}
          rightSection={<IconChevronDown size={14} aria-hidden />}
        >
          Actions
        </MenuButton>
      </Button.Group>
      <p role="status" className={classes.said} data-bad={reading.isError || undefined}>
        {reading.isPending ? <Loader size={12} aria-hidden /> : null}
        {reading.isSuccess || copied ? <IconCheck size={14} aria-hidden /> : null}
        {say}
      </p>
    </div>
  );
}

function sayOf(m: { isPending: boolean; error: unknown; data?: { unchanged?: boolean } | undefined }): string {
  if (m.isPending) return 'Reading its source again…';
  if (m.error) {
    const hint = m.error instanceof ApiError && m.error.hint ? ` ${m.error.hint}` : '';
    return `It could not be read: ${m.error instanceof Error ? m.error.message : String(m.error)}${hint}`;
  }
  if (m.data) return m.data.unchanged ? 'Read again: nothing has changed' : 'Read again: it is up to date';
  return '';
}
