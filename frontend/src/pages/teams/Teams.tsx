import { Button, TextInput } from '@mantine/core';
import { IconSearch, IconUsersGroup } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useDeferredValue, useMemo, useState } from 'react';
import { entitiesQuery } from '~/api/queries';
import { type GroupNode, matching, totals, treeRows } from '~/entity/groupTree';
import { plural } from '~/entity/owned';
import { useGroups } from '~/entity/useGroups';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Page } from '~/parts/Page';
import { Rows } from '~/parts/Rows';
import { GroupTree } from './GroupTree';
import classes from './Teams.module.css';

const route = getRouteApi('/teams');
/** Of more groups than this only the upper two levels are open at first. */
const openAll = 300;

/** All groups as a tree, with who is in them, what they own and what is wrong with it. */
export default function Teams() {
  const { q = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const groups = useGroups();
  const alone = useQuery(
    entitiesQuery({ filter: 'entity.kind == "User" && size(relations.memberOf) == 0', pageSize: 1, fields: 'name' }),
  );
  // What the reader opened or closed; the rest is as it is at first.
  const [toggled, setToggled] = useState<ReadonlyMap<string, boolean>>(new Map());
  const wanted = useDeferredValue(q);
  const forest = useMemo(() => matching(groups.forest, wanted), [groups.forest, wanted]);
  const depth = groups.list.length > openAll ? 2 : Number.POSITIVE_INFINITY;
  const isOpen = (node: GroupNode, level: number) =>
    wanted.trim() !== '' || (toggled.get(node.group.ref) ?? level < depth);
  const rows = treeRows(forest, isOpen);
  const { countsOf } = groups;
  const sums = useMemo(() => totals(groups.forest, (ref) => countsOf(ref).owned), [groups.forest, countsOf]);
  const parents = useMemo(() => groups.list.filter((g) => g.parents.length > 0).length, [groups.list]);
  const all = (open: boolean) => setToggled(new Map(groups.list.map((g) => [g.ref, open])));

  return (
    <Page
      title="Teams"
      about={groups.loading ? undefined : about(groups.list.length, alone.data?.totalSize)}
      actions={
        parents > 0 && wanted.trim() === '' ? (
          <>
            <Button size="xs" variant="default" onClick={() => all(true)}>
              Expand all
            </Button>
            <Button size="xs" variant="default" onClick={() => all(false)}>
              Collapse all
            </Button>
          </>
        ) : null
      }
    >
      {groups.error ? (
        <Failure error={groups.error} retry={groups.retry} />
      ) : groups.loading ? (
        <Rows label="Teams" count={12} />
      ) : groups.list.length === 0 ? (
        <Empty
          icon={IconUsersGroup}
          title="The catalog has no groups yet"
          actions={
            <Button component={Link} to="/harvest" size="xs" variant="default">
              See the harvest
            </Button>
          }
        >
          <p>They come from the teams of your GitHub organisation, or from files of the kind Group.</p>
        </Empty>
      ) : (
        <>
          <search>
            <TextInput
              className={classes.filter}
              value={q}
              onChange={(e) => navigate({ search: { q: e.currentTarget.value || undefined }, replace: true })}
              leftSection={<IconSearch size={15} aria-hidden />}
              placeholder="Filter by name or type"
              aria-label="Filter teams by name or type"
              autoComplete="off"
            />
          </search>
          <div role="status" className="sr-only">
            {wanted ? `${plural(rows.length, 'line')} with what matches and the teams above it` : ''}
          </div>
          {rows.length === 0 ? (
            <Empty
              icon={IconUsersGroup}
              title={`No team is called “${wanted}”`}
              actions={
                <Button size="xs" variant="default" onClick={() => navigate({ search: {}, replace: true })}>
                  Show all
                </Button>
              }
            />
          ) : (
            <GroupTree
              rows={rows}
              isOpen={isOpen}
              query={wanted}
              toggle={(node, open) => setToggled(new Map(toggled).set(node.group.ref, open))}
              countsOf={countsOf}
              totalOf={(ref) => sums.get(ref) ?? 0}
            />
          )}
        </>
      )}
    </Page>
  );
}

function about(groups: number, alone: number | undefined) {
  return (
    <>
      {plural(groups, 'group')}
      {alone ? (
        <>
          {' · '}
          <Link to="/catalog" search={{ kind: 'user', filter: 'size(relations.memberOf) == 0' }}>
            {plural(alone, 'person is', 'people are')} in none
          </Link>
        </>
      ) : null}
    </>
  );
}
