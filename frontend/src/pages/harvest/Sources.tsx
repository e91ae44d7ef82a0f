import { Button, Progress } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useAction } from '~/api/actions';
import { answer, api, type Harvest, type Source } from '~/api/client';
import { sourcesQuery } from '~/api/queries';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Panel } from '~/parts/Panel';
import { Rows } from '~/parts/Rows';
import { Status } from '~/parts/Status';
import { Cell, Table } from '~/parts/Table';
import { duration, Time } from '~/parts/Time';
import { Held } from './Held';
import { Requests } from './Requests';
import classes from './Sources.module.css';
import { changes, harvestState, left, progress, took } from './state';

const columns = [
  { name: 'Source' },
  { name: 'State' },
  { name: 'Last run' },
  { name: 'Repositories', num: true },
  { name: 'Entities', num: true },
  { name: 'Problems', num: true },
  { name: 'Requests', num: true },
  { name: 'Next' },
  { name: 'Actions', hidden: true },
];

/** The configured sources, each with its latest harvest, live. */
export function Sources() {
  const { data, error, isPending, refetch } = useQuery(sourcesQuery);
  if (isPending) return <Rows label="Sources" count={2} />;
  if (error && !data) return <Failure error={error} retry={refetch} />;
  const sources = data?.sources ?? [];
  if (sources.length === 0)
    return (
      <Panel>
        <Empty title="No source is configured">
          <p>Start the server with a place to harvest, or register a single location.</p>
          <pre className={classes.commands}>
            {'GITHUB_TOKEN=… waypost serve --github-org YOUR-ORG\nwaypost serve --dir ~/src\nwaypost serve --sample'}
          </pre>
        </Empty>
      </Panel>
    );
  return (
    <>
      {sources.map((s) => (s.latest?.state === 'STATE_HELD' ? <Held key={s.name} harvest={s.latest} /> : null))}
      <Panel flush>
        <Table label="Sources" columns={columns}>
          {sources.map((s) => (
            <Row key={s.name} source={s} />
          ))}
        </Table>
      </Panel>
    </>
  );
}

function Row({ source }: { source: Source }) {
  const run = useAction(() => answer(api.POST('/v1/harvests', { body: { source: source.name ?? '' } })), ['harvest']);
  const h = source.latest;
  const state = harvestState(h);
  const running = h?.state === 'STATE_RUNNING';
  return (
    <tr>
      <Cell main below={h?.error || (run.error ? run.error.message : undefined)}>
        {source.name}
      </Cell>
      <td>
        <Status tone={state.tone}>{state.words}</Status>
        {running ? <Running harvest={h} /> : null}
      </td>
      <Cell tight below={h?.startTime ? `took ${duration(took(h))}${h.cause ? `, by ${h.cause}` : ''}` : undefined}>
        <Time at={h?.endTime ?? h?.startTime} none="never" />
      </Cell>
      <Cell num below={h?.repositoriesUnchanged ? `${h.repositoriesUnchanged} unchanged` : undefined}>
        {h?.repositoriesSeen ?? 0}
      </Cell>
      <Cell num>{h ? changes(h) : '–'}</Cell>
      <Cell num>
        {h?.problems ? (
          <Link to="/problems" search={{ source: source.name }}>
            {h.problems}
          </Link>
        ) : (
          '0'
        )}
      </Cell>
      <Requests budget={h?.requests} />
      <Cell tight>
        <Time at={source.nextTime} none="on request" />
      </Cell>
      <td>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconPlayerPlay size={12} />}
          loading={run.isPending || running}
          onClick={() => run.mutate(undefined)}
          aria-label={`Harvest ${source.name} now`}
        >
          Run now
        </Button>
      </td>
    </tr>
  );
}

function Running({ harvest }: { harvest: Harvest }) {
  const share = progress(harvest);
  const rest = left(harvest);
  const words = `${harvest.repositoriesSeen ?? 0} of ${harvest.repositoriesExpected || '…'} repositories`;
  return (
    <div className={classes.running}>
      <Progress
        value={share ?? 100}
        animated={share === undefined}
        striped={share === undefined}
        size="sm"
        aria-label={words}
      />
      <span className="soft">
        {words}
        {rest === undefined ? '' : `, about ${duration(rest)} left`}
      </span>
    </div>
  );
}
