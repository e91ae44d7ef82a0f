import { Button, Skeleton } from '@mantine/core';
import { IconArrowBackUp, IconClockPause, IconHistoryOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { ApiError } from '~/api/errors';
import { entityQuery } from '~/api/queries';
import { EntityLink } from '~/entity/EntityLink';
import { Lifecycle } from '~/entity/Lifecycle';
import { ownerOf, specText, titleOf } from '~/entity/read';
import type { Ref } from '~/entity/ref';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Panel } from '~/parts/Panel';
import { exactTime } from '~/parts/Time';
import classes from './History.module.css';

const EntityCode = lazy(() => import('../raw/EntityCode'));

/** The entity as it was at a time. */
export function AsOf(props: { entityRef: Ref; time: string; onReturn: () => void }) {
  const { data: entity, error, refetch } = useQuery(entityQuery(props.entityRef, { time: props.time }));
  const then = exactTime(new Date(props.time));
  const owner = ownerOf(entity);
  return (
    <Panel>
      <div className={classes.asOf} role="status">
        <IconClockPause size={17} stroke={1.7} aria-hidden />
        <span>
          Viewing as of <strong>{then}</strong>
        </span>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconArrowBackUp size={14} aria-hidden />}
          onClick={props.onReturn}
        >
          Back to now
        </Button>
      </div>
      {entity ? (
        <>
          <dl className={classes.key}>
            <Key name="Name">{titleOf(entity)}</Key>
            <Key name="Type">{specText(entity, 'type')}</Key>
            <Key name="Lifecycle">
              {specText(entity, 'lifecycle') ? <Lifecycle of={specText(entity, 'lifecycle')} plain /> : null}
            </Key>
            <Key name="Declared owner">{owner ? <EntityLink of={owner.ref} missing={!owner.exists} /> : null}</Key>
            <Key name="Revision">{entity.revision}</Key>
          </dl>
          <Suspense fallback={<Skeleton height={280} />}>
            <EntityCode entity={entity} format="yaml" />
          </Suspense>
        </>
      ) : error instanceof ApiError && error.code === 'NOT_FOUND' ? (
        <Empty icon={IconHistoryOff} title="It did not exist then" small>
          <p>The list below tells when it was added, and when it was away.</p>
        </Empty>
      ) : error instanceof ApiError && error.code === 'OUT_OF_RANGE' ? (
        <Empty icon={IconHistoryOff} title="That is before what is kept" small>
          <p>{error.message}.</p>
        </Empty>
      ) : error ? (
        <Failure error={error} retry={() => void refetch()} small />
      ) : (
        <Skeleton height={280} />
      )}
    </Panel>
  );
}

function Key(props: { name: string; children: React.ReactNode }) {
  if (!props.children) return null;
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}
