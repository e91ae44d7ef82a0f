import { IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { problemSummaryQuery } from '~/api/queries';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Panel } from '~/parts/Panel';
import { Rows } from '~/parts/Rows';
import { Status } from '~/parts/Status';
import { Cell, Table } from '~/parts/Table';
import { Time } from '~/parts/Time';

/** Which repositories have something to mend, those with errors first. */
export function Repositories() {
  const { data, error, isPending, refetch } = useQuery(problemSummaryQuery('repository'));
  if (isPending) return <Rows label="Repositories" />;
  if (error && !data) return <Failure error={error} retry={refetch} />;
  const counts = data?.counts ?? [];
  if (counts.length === 0)
    return (
      <Panel>
        <Empty icon={IconCircleCheck} title="Nothing is wrong in any repository" />
      </Panel>
    );
  return (
    <Panel flush title="Problems by repository" note={`${counts.length} repositories`}>
      <Table
        label="Problems by repository"
        columns={[
          { name: 'Repository' },
          { name: 'Errors', num: true },
          { name: 'Warnings', num: true },
          { name: 'Oldest' },
        ]}
      >
        {counts.map((c) => (
          <tr key={c.value}>
            <Cell main>
              {c.value ? (
                <Link to="/problems" search={{ repository: c.value }}>
                  {c.value}
                </Link>
              ) : (
                'in no repository'
              )}
            </Cell>
            <Cell num>
              {c.errors ? (
                <Status tone="bad" plain>
                  {c.errors}
                </Status>
              ) : (
                <span className="soft">0</span>
              )}
            </Cell>
            <Cell num>
              {c.warnings ? (
                <Status tone="warn" plain>
                  {c.warnings}
                </Status>
              ) : (
                <span className="soft">0</span>
              )}
            </Cell>
            <Cell tight>
              <Time at={c.oldestTime} />
            </Cell>
          </tr>
        ))}
      </Table>
    </Panel>
  );
}
