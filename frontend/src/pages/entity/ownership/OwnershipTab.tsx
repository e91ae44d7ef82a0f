import { Skeleton } from '@mantine/core';
import { IconShieldOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { Entity } from '~/api/client';
import { ApiError } from '~/api/errors';
import { ownershipQuery } from '~/api/queries';
import type { Ref } from '~/entity/ref';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Candidates } from './Candidates';
import { DriftNotice } from './DriftNotice';
import { EffectiveOwner } from './EffectiveOwner';
import { Mends } from './Mends';
import { Override } from './Override';
import classes from './Ownership.module.css';
import { Verification } from './Verification';

/** Who owns it, and why: what speaks for whom, what differs, and what a person has decided. */
export default function OwnershipTab({ entity, entityRef }: { entity: Entity; entityRef: Ref }) {
  const { data, error, refetch } = useQuery(ownershipQuery(entityRef));
  const ownership = data?.ownership;
  if (!data && error instanceof ApiError && ['NOT_FOUND', 'UNIMPLEMENTED'].includes(error.code))
    return (
      <Empty icon={IconShieldOff} title="Ownership is not known here">
        <p>The plugin that finds owners is not configured, or this kind has none.</p>
      </Empty>
    );
  if (!data && error) return <Failure error={error} retry={() => void refetch()} />;
  if (!ownership)
    return (
      <div className={classes.tab}>
        <Skeleton height={150} radius="lg" />
        <Skeleton height={260} radius="lg" />
      </div>
    );
  return (
    <div className={classes.tab}>
      <EffectiveOwner ownership={ownership} />
      {ownership.drift ? <DriftNotice drift={ownership.drift} entityRef={entityRef} /> : null}
      <Candidates candidates={ownership.candidates ?? []} ownerRef={ownership.ownerRef ?? ''} />
      <Mends mends={ownership.mends ?? []} entity={entity} />
      <div className={classes.pair}>
        <Verification ownership={ownership} entityRef={entityRef} />
        <Override ownership={ownership} entityRef={entityRef} />
      </div>
    </div>
  );
}
