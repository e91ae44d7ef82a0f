import { Button, Group, Progress, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { download } from '~/parts/download';
import { MenuButton } from '~/parts/MenuButton';
import { readMask } from './columns';
import { exported, type Format } from './exporting';
import type { CatalogView } from './useCatalog';

type State = { done: number; total: number; late: boolean } | { failed: string } | undefined;

/** Everything that is selected, as a file; what takes longer shows how far it is and can be stopped. */
export function ExportMenu({ view }: { view: CatalogView }) {
  const [state, setState] = useState<State>();
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const start = async (format: Format) => {
    running.current?.abort();
    const stop = new AbortController();
    running.current = stop;
    const since = Date.now();
    setState({ done: 0, total: 0, late: false });
    const columns = view.columns.chosen;
    try {
      const file = await exported(
        {
          filter: view.composed.filter,
          words: view.search.q ?? '',
          orderBy: view.search.sort ?? '',
          fields: readMask(columns),
          columns,
        },
        format,
        (done, total) => setState({ done, total, late: Date.now() - since > 2000 }),
        stop.signal,
      );
      download(`${view.kind || 'catalog'}.${format}`, file.text, file.type);
      setState(undefined);
    } catch (error) {
      if (!stop.signal.aborted) setState({ failed: error instanceof Error ? error.message : String(error) });
    }
  };
  const busy = state !== undefined && 'done' in state;
  return (
    <>
      {busy && state.late ? (
        <Group gap={8} wrap="nowrap" role="status">
          <Progress
            w={90}
            value={state.total > 0 ? (100 * state.done) / state.total : 0}
            aria-label="Progress of the export"
          />
          <Text size="xs" className="num" c="dimmed">
            {state.done.toLocaleString('en')} of {state.total.toLocaleString('en')}
          </Text>
          <Button
            variant="subtle"
            size="compact-xs"
            onClick={() => {
              running.current?.abort();
              setState(undefined);
            }}
          >
            Cancel
          </Button>
        </Group>
      ) : null}
      {state && 'failed' in state ? (
        <Text size="xs" role="alert" c="var(--wp-bad)">
          Not exported: {state.failed}
        </Text>
      ) : null}
      <MenuButton
        load={() => import('./ExportItems')}
        give={{ start }}
        loading={busy && !state.late}
        leftSection={<IconDownload size={15} stroke={1.7} aria-hidden />}
      >
        Export
      </MenuButton>
    </>
  );
}
