import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { diffQuery } from '~/api/queries';
import type { Ref } from '~/entity/ref';
import { Diff } from '~/parts/Diff';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Panel } from '~/parts/Panel';
import { ChangeList } from './ChangeList';
import classes from './History.module.css';

/** Two revisions told apart: field by field, and as text. */
export function Compare(props: { entityRef: Ref; from: string | undefined; to: string | undefined }) {
  const { data, error, refetch } = useQuery(diffQuery(props.entityRef, props.from, props.to));
  return (
    <Panel
      title={
        data
          ? `From ${data.fromRevision && data.fromRevision !== '0' ? `revision ${data.fromRevision}` : 'nothing'} to revision ${data.toRevision ?? ''}`
          : 'Comparing…'
      }
      actions={
        <Link
          to="/catalog/$namespace/$kind/$name/$tab"
          params={{ ...props.entityRef, tab: 'history' }}
          search={{}}
          resetScroll={false}
        >
          Close
        </Link>
      }
    >
      {data ? (
        (data.changes ?? []).length > 0 ? (
          <div className={classes.changes}>
            <ChangeList changes={data.changes ?? []} />
            <Diff text={data.text ?? ''} label="Difference as YAML" copy />
          </div>
        ) : (
          <Empty title="There is no difference in content" small />
        )
      ) : error ? (
        <Failure error={error} retry={() => void refetch()} small />
      ) : (
        <Skeleton height={180} />
      )}
    </Panel>
  );
}
