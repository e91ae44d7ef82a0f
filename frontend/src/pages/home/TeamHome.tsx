import { Button, Skeleton, Title } from '@mantine/core';
import { IconSwitchHorizontal, IconUsersGroup } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Entity } from '~/api/client';
import { ApiError } from '~/api/errors';
import { entityQuery } from '~/api/queries';
import { Avatar } from '~/entity/Avatar';
import { EntityLink } from '~/entity/EntityLink';
import { groupTitle } from '~/entity/groupTree';
import { HealthNote } from '~/entity/HealthNote';
import { leadOf } from '~/entity/lead';
import { OwnedList } from '~/entity/OwnedList';
import { plural } from '~/entity/owned';
import { relationsOf } from '~/entity/read';
import { formatRef, type Ref, shortRef } from '~/entity/ref';
import { useOwned } from '~/entity/useOwned';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Page } from '~/parts/Page';
import { Panel } from '~/parts/Panel';
import { WaitingPanel } from '~/problems/WaitingPanel';
import { useMyTeam } from '~/shell/remembered';
import { Changed } from './Changed';
import { Shelves } from './Shelf';
import classes from './TeamHome.module.css';

/** The home of a team. */
export function TeamHome(props: { of: Ref; onChange: () => void }) {
  const team = useQuery(entityQuery(props.of));
  const owned = useOwned(props.of);
  const self = formatRef(props.of);
  const gone = team.error instanceof ApiError && team.error.code === 'NOT_FOUND';
  const title = team.data ? groupTitle(team.data) : shortRef(props.of);
  if (gone)
    return (
      <Page title="Home">
        <Empty
          icon={IconUsersGroup}
          title={`There is no team “${shortRef(props.of)}” in the catalog`}
          actions={
            <Button size="xs" onClick={props.onChange}>
              Pick your team
            </Button>
          }
        >
          <p>It may have been renamed or disbanded.</p>
        </Empty>
        <Shelves />
      </Page>
    );
  return (
    <Page title={title} name={`${title} · Home`} bare>
      <Head title={title} self={self} team={team.data} onChange={props.onChange} />
      <div className={classes.grid}>
        <div className={classes.column}>
          {owned.error ? (
            <Panel title="What you own">
              <Failure error={owned.error} retry={owned.retry} small />
            </Panel>
          ) : owned.loading || owned.rows.length > 0 ? (
            <Panel
              title="What you own"
              note={owned.loading ? undefined : owned.rows.length.toLocaleString('en')}
              actions={owned.loading ? null : <HealthNote rows={owned.rows} />}
              flush
            >
              <OwnedList rows={owned.rows} owners={owned.owners} self={self} loading={owned.loading} />
            </Panel>
          ) : (
            <Panel title="What you own">
              <span className="soft">
                Nothing yet. <Link to="/ownership">See what nobody owns</Link>.
              </span>
            </Panel>
          )}
          {owned.loading ? null : (
            <div className={classes.later}>
              <Changed owners={owned.owners} />
            </div>
          )}
        </div>
        <div className={classes.column}>
          {owned.loading ? null : <WaitingPanel title="Problems that wait for you" owned={owned} owner={self} />}
          <div className={`${classes.column} ${classes.last}`}>
            <Shelves />
          </div>
        </div>
      </div>
    </Page>
  );
}

function Head(props: { title: string; self: string; team: Entity | undefined; onChange: () => void }) {
  const [mine, setMine] = useMyTeam();
  const members = relationsOf(props.team, 'hasMember').length;
  const children = relationsOf(props.team, 'parentOf').length;
  const lead = leadOf(props.team);
  return (
    <header className={classes.head}>
      <Avatar name={props.title} of={props.self} large square />
      <div className={classes.who}>
        <Title order={1} className={classes.title}>
          {props.title}
        </Title>
        <div className={classes.meta}>
          {props.team ? (
            <>
              {lead ? (
                <span>
                  Led by <EntityLink of={lead} plain />
                </span>
              ) : null}
              {props.team.kind?.toLowerCase() === 'user' ? null : <span>{plural(members, 'member')}</span>}
              {children > 0 ? <span>{plural(children, 'child team')}</span> : null}
              <span>
                <EntityLink of={props.self} plain title="Team page" />
              </span>
            </>
          ) : (
            <Skeleton height={10} width={220} my={5} />
          )}
        </div>
      </div>
      <div className={classes.actions}>
        {props.self === mine ? null : (
          <Button size="xs" variant="default" onClick={() => setMine(props.self)}>
            Make it my team
          </Button>
        )}
        <Button
          size="xs"
          variant="default"
          leftSection={<IconSwitchHorizontal size={14} aria-hidden />}
          onClick={props.onChange}
        >
          Change team
        </Button>
      </div>
    </header>
  );
}
