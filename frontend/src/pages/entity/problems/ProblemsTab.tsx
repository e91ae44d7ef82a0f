import { Skeleton } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { Entity } from '~/api/client';
import { problemsQuery } from '~/api/queries';
import { formatRef, type Ref } from '~/entity/ref';
import { fileUrl } from '~/entity/source';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Panel } from '~/parts/Panel';
import { ProblemList } from '~/problems/ProblemList';

export default function ProblemsTab({ entity, entityRef }: { entity: Entity; entityRef: Ref }) {
  const input = { entityRef: formatRef(entityRef), pageSize: 100 };
  const { data, error, refetch } = useQuery(problemsQuery(input));
  const { data: before } = useQuery(problemsQuery({ ...input, state: 'PROBLEM_STATE_GONE' }));
  if (!data && error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={200} radius="lg" />;
  const open = data.problems ?? [];
  const gone = before?.problems ?? [];
  const urlOf = (p: { repository?: string; path?: string; line?: number }) =>
    p.repository === entity.origin?.repository ? fileUrl(entity, p.path, p.line) : undefined;
  return (
    <div style={{ display: 'grid', gap: '1rem' }}>
      <Panel title="Open" note={open.length || undefined} flush>
        {open.length > 0 ? (
          <ProblemList problems={open} urlOf={urlOf} />
        ) : (
          <Empty icon={IconCircleCheck} title="Nothing is wrong with it" small>
            <p>Neither its file, nor what it names, nor a plugin gives cause for complaint.</p>
          </Empty>
        )}
      </Panel>
      {gone.length > 0 ? (
        <Panel title="Mended" note={gone.length} flush>
          <ProblemList problems={gone} urlOf={urlOf} />
        </Panel>
      ) : null}
    </div>
  );
}
