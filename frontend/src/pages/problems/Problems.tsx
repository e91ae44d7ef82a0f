import { Button, Select } from '@mantine/core';
import { IconCircleCheck, IconFilterOff } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type ProblemsInput, problemPagesQuery, problemSummaryQuery } from '~/api/queries';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Page } from '~/parts/Page';
import { Panel } from '~/parts/Panel';
import { Rows } from '~/parts/Rows';
import { ProblemList } from '~/problems/ProblemList';
import classes from './Problems.module.css';

const route = getRouteApi('/problems');

const severities: Record<string, ProblemsInput['severity']> = { error: 'SEVERITY_ERROR', warning: 'SEVERITY_WARNING' };

/** All that is wrong in the catalog, each with its file, its line and how to mend it. */
export default function Problems() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { owner, repository, source, code, severity, state } = search;
  const pages = useInfiniteQuery(
    problemPagesQuery({
      ownerRef: owner,
      repository,
      source,
      code,
      severity: severities[severity ?? ''],
      state: state === 'gone' ? 'PROBLEM_STATE_GONE' : undefined,
      pageSize: 100,
    }),
  );
  const total = pages.data?.pages[0]?.totalSize ?? 0;
  const problems = pages.data?.pages.flatMap((p) => p.problems ?? []) ?? [];
  const filtered = [owner, repository, source, code, severity].some((v) => v !== undefined);
  return (
    <Page
      title="Problems"
      about="What is wrong in the catalog, on which line, and what to write there. Whatever was good before stays until it is mended."
    >
      <div className={classes.filters}>
        <Choice
          by="owner"
          label="Owner"
          value={owner}
          onChange={(v) => navigate({ search: { ...search, owner: v } })}
        />
        <Choice
          by="repository"
          label="Repository"
          value={repository}
          onChange={(v) => navigate({ search: { ...search, repository: v } })}
        />
        <Choice by="code" label="Rule" value={code} onChange={(v) => navigate({ search: { ...search, code: v } })} />
        <Choice
          by="source"
          label="Source"
          value={source}
          onChange={(v) => navigate({ search: { ...search, source: v } })}
        />
        <Select
          size="xs"
          label="Severity"
          placeholder="Any"
          clearable
          clearButtonProps={{ 'aria-label': 'Any severity' }}
          data={[
            { value: 'error', label: 'Errors' },
            { value: 'warning', label: 'Warnings' },
          ]}
          value={severity ?? null}
          onChange={(v) => navigate({ search: { ...search, severity: v ?? undefined } })}
        />
        <Select
          size="xs"
          label="State"
          allowDeselect={false}
          data={[
            { value: 'open', label: 'Open' },
            { value: 'gone', label: 'Mended' },
          ]}
          value={state ?? 'open'}
          onChange={(v) => navigate({ search: { ...search, state: v === 'gone' ? 'gone' : undefined } })}
        />
        {filtered ? (
          <Button
            size="xs"
            variant="subtle"
            leftSection={<IconFilterOff size={14} />}
            onClick={() => navigate({ search: { state } })}
          >
            Clear
          </Button>
        ) : null}
      </div>
      {pages.isPending ? <Rows label="Problems" height={72} /> : null}
      {pages.error && !pages.data ? <Failure error={pages.error} retry={pages.refetch} /> : null}
      {pages.data && problems.length === 0 ? (
        <Panel>
          <Empty
            icon={IconCircleCheck}
            title={
              filtered ? 'Nothing is wrong here' : state === 'gone' ? 'Nothing was mended lately' : 'Nothing is wrong'
            }
          >
            {filtered ? <p>No problem fits this choice. Others may: clear it to see them.</p> : null}
          </Empty>
        </Panel>
      ) : null}
      {problems.length > 0 ? (
        <Panel
          flush
          title={state === 'gone' ? 'Mended' : 'Open'}
          note={`${problems.length.toLocaleString('en')} of ${total.toLocaleString('en')}`}
        >
          <ProblemList problems={problems} withEntity />
          {pages.hasNextPage ? (
            <div className={classes.more}>
              <Button
                size="xs"
                variant="default"
                loading={pages.isFetchingNextPage}
                onClick={() => pages.fetchNextPage()}
              >
                Show more
              </Button>
            </div>
          ) : null}
        </Panel>
      ) : null}
    </Page>
  );
}

/** The values that there are, those with most errors first. */
function Choice(props: {
  by: 'owner' | 'repository' | 'code' | 'source';
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}) {
  const { data } = useQuery(problemSummaryQuery(props.by));
  const options = (data?.counts ?? [])
    .filter((c) => c.value)
    .map((c) => ({
      value: c.value ?? '',
      label: `${(c.value ?? '').replace(/^group:default\//, '')} (${(c.errors ?? 0) + (c.warnings ?? 0)})`,
    }));
  if (props.value && !options.some((o) => o.value === props.value))
    options.unshift({ value: props.value, label: props.value });
  return (
    <Select
      size="xs"
      label={props.label}
      placeholder="Any"
      searchable
      clearable
      clearButtonProps={{ 'aria-label': `Any ${props.label.toLowerCase()}` }}
      limit={200}
      data={options}
      value={props.value ?? null}
      onChange={(v) => props.onChange(v ?? undefined)}
    />
  );
}
