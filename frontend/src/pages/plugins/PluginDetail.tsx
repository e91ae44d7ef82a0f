import { Button } from '@mantine/core';
import { IconFilter, IconPlayerPlay } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useAction } from '~/api/actions';
import { answer, api, type Plugin } from '~/api/client';
import { pluginRunsQuery } from '~/api/queries';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Panel } from '~/parts/Panel';
import { Rows } from '~/parts/Rows';
import { Status } from '~/parts/Status';
import { Cell, Table } from '~/parts/Table';
import { duration, Time } from '~/parts/Time';
import classes from './PluginDetail.module.css';
import { every, pluginState, roleName } from './state';

/** One plugin: what it says, how its last runs went, and how it is set up. */
export function PluginDetail({ plugin }: { plugin: Plugin }) {
  const name = plugin.descriptor?.name ?? '';
  const again = useAction(
    () => answer(api.POST('/v1/plugins/{plugin}:run', { params: { path: { plugin: name } }, body: {} })),
    ['plugins'],
  );
  const facts = plugin.descriptor?.facts ?? [];
  const config = plugin.config && Object.keys(plugin.config).length > 0 ? JSON.stringify(plugin.config, null, 2) : '';
  const state = pluginState(plugin);
  return (
    <div className={classes.detail}>
      {state.why ? (
        <p>
          <Status tone={state.tone}>{state.words}</Status> {state.why}
        </p>
      ) : null}
      <Panel
        flush
        title={`What ${name} says`}
        note={`${facts.length} facts${plugin.descriptor?.every ? `, asked again ${every(plugin.descriptor.every)}` : ''}`}
      >
        <Table
          label={`Facts of ${name}`}
          columns={[
            { name: 'Fact' },
            { name: 'Shown as' },
            { name: 'Stale after', num: true },
            { name: 'Find by it', hidden: true },
          ]}
        >
          {facts.map((f) => (
            <tr key={f.key}>
              <Cell below={f.description}>
                <b>{f.title || f.key}</b> <code className="soft">{f.key}</code>
              </Cell>
              <Cell tight>
                {f.display || 'text'}
                {f.unit ? `, ${f.unit}` : ''}
              </Cell>
              <Cell num>
                {f.freshness ? every(f.freshness).replace('every ', '') : <span className="soft">never</span>}
              </Cell>
              <Cell tight num>
                {f.filterable ? (
                  <Link
                    to="/catalog"
                    search={{ filter: `${JSON.stringify(f.key)} in facts` }}
                    title="Entities that have it"
                  >
                    <IconFilter size={14} aria-hidden className={classes.icon} /> entities
                    <span className="sr-only"> that have {f.title || f.key}</span>
                  </Link>
                ) : null}
              </Cell>
            </tr>
          ))}
        </Table>
      </Panel>
      <Panel
        flush
        title="Last runs"
        actions={
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlayerPlay size={13} />}
            loading={again.isPending}
            onClick={() => again.mutate(undefined)}
          >
            Ask about everything again
          </Button>
        }
      >
        {again.error ? <Failure error={again.error} small /> : null}
        {again.data ? (
          <p className={classes.said} role="status">
            {Number(again.data.entities ?? 0).toLocaleString('en')} entities will be asked about.
          </p>
        ) : null}
        <Runs plugin={name} />
      </Panel>
      {config ? (
        <Panel title="Configuration" note="secrets are left out">
          <pre className={classes.config}>{config}</pre>
        </Panel>
      ) : null}
    </div>
  );
}

function Runs({ plugin }: { plugin: string }) {
  const { data, error, isPending, refetch } = useQuery({ ...pluginRunsQuery(plugin), refetchInterval: 10_000 });
  if (isPending) return <Rows label="Runs" count={3} />;
  if (error && !data) return <Failure error={error} retry={refetch} small />;
  const runs = data?.runs ?? [];
  if (runs.length === 0) return <Empty small title="It has not run yet" />;
  return (
    <Table
      label={`Runs of ${plugin}`}
      columns={[
        { name: 'Started' },
        { name: 'Role' },
        { name: 'How it ended' },
        { name: 'Took', num: true },
        { name: 'Asked', num: true },
        { name: 'Answered', num: true },
        { name: 'Changed', num: true },
        { name: 'Refused', num: true },
      ]}
    >
      {runs.map((r) => (
        <tr key={r.id}>
          <Cell tight>
            <Time at={r.startTime} />
          </Cell>
          <Cell>{roleName(r.role)}</Cell>
          <Cell below={r.error}>
            {r.error ? (
              <Status tone="bad">Failed</Status>
            ) : r.endTime ? (
              <Status tone="good">Succeeded</Status>
            ) : (
              <Status tone="info">Running</Status>
            )}
          </Cell>
          <Cell num>{r.startTime && r.endTime ? duration(Date.parse(r.endTime) - Date.parse(r.startTime)) : '–'}</Cell>
          <Cell num>{(r.asked ?? 0).toLocaleString('en')}</Cell>
          <Cell num>{(r.answered ?? 0).toLocaleString('en')}</Cell>
          <Cell num>{(r.changed ?? 0).toLocaleString('en')}</Cell>
          <Cell num>
            {r.refused ? (
              <Status tone="warn" plain>
                {r.refused}
              </Status>
            ) : (
              <span className="soft">0</span>
            )}
          </Cell>
        </tr>
      ))}
    </Table>
  );
}
