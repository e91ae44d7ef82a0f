import { IconPlugConnectedX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { pluginsQuery } from '~/api/queries';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Page } from '~/parts/Page';
import { Panel } from '~/parts/Panel';
import { Rows } from '~/parts/Rows';
import { Status } from '~/parts/Status';
import { Cell, Table } from '~/parts/Table';
import { Time } from '~/parts/Time';
import { PluginDetail } from './PluginDetail';
import { ServerLine } from './ServerLine';
import { pluginState, roleName } from './state';

const route = getRouteApi('/plugins');

/** Who says more of each entity, and whether they do. */
export default function Plugins() {
  const { plugin } = route.useSearch();
  const { data, error, isPending, refetch } = useQuery({ ...pluginsQuery, refetchInterval: 10_000 });
  const plugins = data?.plugins ?? [];
  const chosen = plugins.find((p) => p.descriptor?.name === plugin) ?? (plugins.length === 1 ? plugins[0] : undefined);
  return (
    <Page
      title="Plugins"
      about="What is asked about each entity beyond its file, how that goes, and how old the answers are."
    >
      {isPending ? <Rows label="Plugins" count={2} height={56} /> : null}
      {error && !data ? <Failure error={error} retry={refetch} /> : null}
      {data && plugins.length === 0 ? (
        <Panel>
          <Empty icon={IconPlugConnectedX} title="No plugin is on">
            <p>The configuration file says which ones are, and how they are set up.</p>
          </Empty>
        </Panel>
      ) : null}
      {plugins.length > 0 ? (
        <Panel flush>
          <Table
            label="Plugins"
            columns={[
              { name: 'Plugin' },
              { name: 'State' },
              { name: 'Answered for', num: true },
              { name: 'Stale', num: true },
              { name: 'Waiting', num: true },
              { name: 'Failed', num: true },
              { name: 'Last run' },
              { name: 'Last collected' },
            ]}
          >
            {plugins.map((p) => {
              const name = p.descriptor?.name ?? '';
              const state = pluginState(p);
              return (
                <tr key={name} data-current={p === chosen || undefined}>
                  <Cell below={p.error || p.descriptor?.summary}>
                    <Link to="/plugins" search={{ plugin: name }} aria-current={p === chosen ? 'true' : undefined}>
                      <b>{name}</b>
                    </Link>{' '}
                    <span className="soft">
                      {p.descriptor?.version}
                      {p.remote ? ', in a process of its own' : ''}
                      {p.descriptor?.roles?.length ? ` · ${p.descriptor.roles.map(roleName).join(', ')}` : ''}
                    </span>
                  </Cell>
                  <Cell
                    tight
                    below={
                      p.retryTime ? (
                        <>
                          asked again <Time at={p.retryTime} />
                        </>
                      ) : undefined
                    }
                  >
                    <Status tone={state.tone}>{state.words}</Status>
                  </Cell>
                  <Figure n={p.entities} />
                  <Figure n={p.stale} />
                  <Figure n={p.waiting} />
                  <Figure n={p.failed} />
                  <Cell tight>
                    <Time at={p.runTime} none="not yet" />
                  </Cell>
                  <Cell tight>
                    <Time at={p.collectTime} none="–" />
                  </Cell>
                </tr>
              );
            })}
          </Table>
        </Panel>
      ) : null}
      {chosen ? <PluginDetail plugin={chosen} /> : null}
      <ServerLine />
    </Page>
  );
}

function Figure({ n }: { n: string | undefined }) {
  const value = Number(n ?? 0);
  return <Cell num>{value === 0 ? <span className="soft">0</span> : value.toLocaleString('en')}</Cell>;
}
