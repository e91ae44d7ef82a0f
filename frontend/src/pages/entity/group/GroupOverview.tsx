import { Switch } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Entity } from '~/api/client';
import { groupsQuery } from '~/api/queries';
import { HealthNote } from '~/entity/HealthNote';
import { OwnedList } from '~/entity/OwnedList';
import { relationsOf } from '~/entity/read';
import { formatRef, type Ref } from '~/entity/ref';
import { useOwned } from '~/entity/useOwned';
import { Failure } from '~/parts/Failure';
import { Panel } from '~/parts/Panel';
import { WaitingPanel } from '~/problems/WaitingPanel';
import { Teams } from './Below';
import classes from './GroupOverview.module.css';
import { Members } from './Members';
import { Profile } from './Profile';

/** A group or a user: who it is, who belongs to it, what it owns and how that is. */
export default function GroupOverview({ entity, entityRef }: { entity: Entity; entityRef: Ref }) {
  const user = entityRef.kind === 'user';
  const through = user ? relationsOf(entity, 'memberOf').length > 0 : relationsOf(entity, 'parentOf').length > 0;
  const [all, setAll] = useState(true);
  const owned = useOwned(entityRef, !all);
  const self = formatRef(entityRef);
  const groups = useQuery({ ...groupsQuery, enabled: !user });
  return (
    <div className={classes.grid}>
      <div className={classes.column}>
        {owned.error ? (
          <Panel title="Owns">
            <Failure error={owned.error} retry={owned.retry} small />
          </Panel>
        ) : (
          <Panel
            title="Owns"
            note={owned.loading ? undefined : owned.rows.length.toLocaleString('en')}
            actions={
              <>
                {through ? (
                  <Switch
                    size="xs"
                    checked={all}
                    onChange={(e) => setAll(e.currentTarget.checked)}
                    label={user ? 'Through groups' : 'Through child teams'}
                  />
                ) : null}
                {owned.loading || owned.rows.length === 0 ? null : <HealthNote rows={owned.rows} />}
              </>
            }
            flush
          >
            {owned.loading || owned.rows.length > 0 ? (
              <OwnedList rows={owned.rows} owners={owned.owners} self={self} loading={owned.loading} />
            ) : (
              <p className={classes.nothing}>
                {user ? 'Nothing is owned by this person alone.' : 'Nothing.'}{' '}
                <Link to="/ownership">What nobody owns</Link>
              </p>
            )}
          </Panel>
        )}
      </div>
      <div className={classes.column}>
        <Profile entity={entity} of={entityRef} groups={groups.data} />
        {owned.loading ? null : <WaitingPanel title="Problems waiting" owned={owned} owner={self} />}
        {user ? null : <Members group={entity} of={entityRef} groups={groups.data} />}
        <Teams
          title={user ? 'Groups' : 'Child teams'}
          refs={relationsOf(entity, user ? 'memberOf' : 'parentOf')}
          note={user ? 'In no group' : undefined}
        />
      </div>
    </div>
  );
}
