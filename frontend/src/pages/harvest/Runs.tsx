import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { harvestsQuery } from '~/api/queries';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Panel } from '~/parts/Panel';
import { Rows } from '~/parts/Rows';
import { Status } from '~/parts/Status';
import { Cell, Table } from '~/parts/Table';
import { duration, Time } from '~/parts/Time';
import { Requests } from './Requests';
import { changes, harvestState, took } from './state';

const route = getRouteApi('/harvest');

const columns = [
  { name: 'Run', num: true },
  { name: 'Source' },
  { name: 'State' },
  { name: 'Started' },
  { name: 'Took', num: true },
  { name: 'Repositories', num: true },
  { name: 'Files read', num: true },
  { name: 'Entities', num: true },
  { name: 'Problems', num: true },
  { name: 'Requests', num: true },
];

/** The latest harvests, newest first. */
export function Runs(props: { source: string; sources: string[] }) {
  const navigate = route.useNavigate();
  const { data, error, isPending, refetch } = useQuery(harvestsQuery(props.source, 100));
  if (isPending) return <Rows label="Runs" />;
  if (error && !data) return <Failure error={error} retry={refetch} />;
  const runs = data?.harvests ?? [];
  return (
    <Panel
      flush
      title="Runs"
      note={runs.length === 100 ? 'the latest 100' : String(runs.length)}
      actions={
        props.sources.length > 1 ? (
          <Select
            size="xs"
            w={220}
            aria-label="Runs of one source"
            placeholder="All sources"
            clearable
            clearButtonProps={{ 'aria-label': 'All sources' }}
            data={props.sources}
            value={props.source || null}
            onChange={(v) => navigate({ search: { view: 'runs', source: v ?? undefined } })}
          />
        ) : undefined
      }
    >
      {runs.length === 0 ? (
        <Empty title="Nothing has been harvested yet" />
      ) : (
        <Table label="Runs" columns={columns}>
          {runs.map((h) => {
            const state = harvestState(h);
            return (
              <tr key={h.id}>
                <Cell num>{h.id}</Cell>
                <Cell main below={h.error}>
                  {h.source}
                </Cell>
                <td>
                  <Status tone={state.tone}>{state.words}</Status>
                </td>
                <Cell tight below={h.cause ? `by ${h.cause}` : undefined}>
                  <Time at={h.startTime} />
                </Cell>
                <Cell num>{duration(took(h))}</Cell>
                <Cell num below={h.repositoriesUnchanged ? `${h.repositoriesUnchanged} unchanged` : undefined}>
                  {h.repositoriesSeen ?? 0}
                </Cell>
                <Cell num>{h.documentsRead ?? 0}</Cell>
                <Cell num>{changes(h)}</Cell>
                <Cell num>{h.problems ?? 0}</Cell>
                <Requests budget={h.requests} />
              </tr>
            );
          })}
        </Table>
      )}
    </Panel>
  );
}
