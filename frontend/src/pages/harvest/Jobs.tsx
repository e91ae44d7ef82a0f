import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useAction } from '~/api/actions';
import { answer, api, type Job } from '~/api/client';
import { jobsQuery } from '~/api/queries';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Panel } from '~/parts/Panel';
import { Rows } from '~/parts/Rows';
import { Status } from '~/parts/Status';
import { Cell, Table } from '~/parts/Table';
import { Time } from '~/parts/Time';
import { jobState, jobSubject, mayCancel, mayRetry } from './jobState';

const columns = [
  { name: 'Job', num: true },
  { name: 'What' },
  { name: 'State' },
  { name: 'Attempt', num: true },
  { name: 'Due' },
  { name: 'Ended' },
  { name: 'Runner' },
  { name: 'Actions', hidden: true },
];

/** The durable work: what runs, waits and failed, and why. */
export function Jobs() {
  const { data, error, isPending, refetch } = useQuery(jobsQuery(100));
  if (isPending) return <Rows label="Jobs" />;
  if (error && !data) return <Failure error={error} retry={refetch} />;
  const jobs = data?.jobs ?? [];
  return (
    <Panel flush title="Jobs" note="those that run or failed first">
      {jobs.length === 0 ? (
        <Empty title="No job is waiting, and none ran lately" />
      ) : (
        <Table label="Jobs" columns={columns}>
          {jobs.map((j) => (
            <Row key={j.id} job={j} />
          ))}
        </Table>
      )}
    </Panel>
  );
}

function Row({ job }: { job: Job }) {
  const path = { params: { path: { id: job.id ?? '' } }, body: {} };
  const retry = useAction(() => answer(api.POST('/v1/jobs/{id}:retry', path)), ['harvest']);
  const cancel = useAction(() => answer(api.POST('/v1/jobs/{id}:cancel', path)), ['harvest']);
  const state = jobState(job);
  const fault = retry.error ?? cancel.error;
  return (
    <tr>
      <Cell num>{job.id}</Cell>
      <Cell main below={fault?.message ?? job.errors?.at(-1)?.message}>
        {job.kind} <span className="soft">{jobSubject(job)}</span>
      </Cell>
      <td>
        <Status tone={state.tone}>{state.words}</Status>
      </td>
      <Cell num>
        {job.attempt ?? 0} of {job.maxAttempts ?? 0}
      </Cell>
      <Cell tight>
        <Time at={job.scheduleTime} />
      </Cell>
      <Cell tight>
        <Time at={job.endTime} />
      </Cell>
      <Cell>{job.runner}</Cell>
      <Cell tight num>
        {mayRetry(job) ? (
          <Button
            size="compact-xs"
            variant="default"
            loading={retry.isPending}
            onClick={() => retry.mutate(undefined)}
            aria-label={`Retry job ${job.id} now`}
          >
            Retry now
          </Button>
        ) : null}{' '}
        {mayCancel(job) ? (
          <Button
            size="compact-xs"
            variant="default"
            loading={cancel.isPending}
            onClick={() => cancel.mutate(undefined)}
            aria-label={`Cancel job ${job.id}`}
          >
            Cancel
          </Button>
        ) : null}
      </Cell>
    </tr>
  );
}
