import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { type ComponentType, lazy, Suspense, useEffect, useState } from 'react';
import type { Entity } from '~/api/client';
import { ApiError } from '~/api/errors';
import { entityQuery } from '~/api/queries';
import { kindOf } from '~/entity/kinds';
import { titleOf } from '~/entity/read';
import { formatRef, type Ref, refOfParams } from '~/entity/ref';
import { Crash } from '~/parts/Crash';
import { Failure } from '~/parts/Failure';
import { Page } from '~/parts/Page';
import { rememberSeen } from '~/shell/remembered';
import classes from './EntityPage.module.css';
import { Header } from './header/Header';
import { HeaderSkeleton } from './header/HeaderSkeleton';
import { Warnings } from './header/Warnings';
import { Overview } from './overview/Overview';
import { TabBar } from './TabBar';
import { TabSkeleton } from './TabSkeleton';
import { type Tab, tabsOf } from './tabs';
import { UnknownTab } from './UnknownTab';

type TabProps = { entity: Entity; entityRef: Ref };

const Gone = lazy(() => import('./gone/Gone'));
const GroupOverview = lazy(() => import('./group/GroupOverview'));
const PluginTab = lazy(() => import('./PluginTab'));
const loaders: Record<string, () => Promise<{ default: ComponentType<TabProps> }>> = {
  definition: () => import('./definition/DefinitionTab'),
  dependencies: () => import('./dependencies/DependenciesTab'),
  ownership: () => import('./ownership/OwnershipTab'),
  history: () => import('./history/HistoryTab'),
  problems: () => import('./problems/ProblemsTab'),
  raw: () => import('./raw/RawTab'),
};
const tabs = Object.fromEntries(Object.entries(loaders).map(([id, load]) => [id, lazy(load)]));
// What is there is shown at once: a lazy one waits a turn even then, and React holds a fallback for 300 ms.
const there: Record<string, ComponentType<TabProps>> = {};
// Small ones, so that a click on a tab need not wait for its code: they come when the pointer does. The large ones come when they are wanted.
const light = ['ownership', 'history', 'problems', 'raw'];

function prepare(): void {
  for (const id of light)
    loaders[id]?.().then(
      (module) => {
        there[id] = module.default;
      },
      () => undefined, // a click asks again
    );
}

export default function EntityPage() {
  const params = useParams({ strict: false });
  const ref = refOfParams(params);
  const key = formatRef(ref);
  const tab = params.tab ?? 'overview';
  const { data: entity, error, refetch } = useQuery(entityQuery(ref));
  const found = entity !== undefined;
  useEffect(() => {
    if (found) rememberSeen(key);
  }, [found, key]);

  if (error instanceof ApiError && error.code === 'NOT_FOUND')
    return (
      <Suspense fallback={<Loading of={ref} />}>
        <Gone entityRef={ref} key={key} />
      </Suspense>
    );
  if (!entity && error)
    return (
      <Page title={ref.name} bare>
        <Failure error={error} retry={() => void refetch()} />
      </Page>
    );
  if (!entity) return <Loading of={ref} />;

  const all = tabsOf(entity);
  const current = all.find((t) => t.id === tab);
  return (
    <Page title={titleOf(entity)} name={nameOf(entity, ref, current)} bare>
      <Header entity={entity} entityRef={ref} key={key} />
      <Warnings entity={entity} entityRef={ref} />
      <TabBar tabs={all} current={tab} entityRef={ref} near={prepare} />
      <div className={classes.content}>
        <Crash key={`${key} ${tab}`}>
          <Suspense fallback={<TabSkeleton />}>
            <Content tab={current} wanted={tab} entity={entity} entityRef={ref} tabs={all} />
          </Suspense>
        </Crash>
      </div>
    </Page>
  );
}

function Content(props: TabProps & { tab: Tab | undefined; wanted: string; tabs: Tab[] }) {
  const { tab, entity, entityRef } = props;
  const [Shown] = useState(() => (tab ? (there[tab.id] ?? tabs[tab.id]) : undefined));
  if (!tab) return <UnknownTab wanted={props.wanted} tabs={props.tabs} entityRef={entityRef} />;
  if (tab.plugin) return <PluginTab entityRef={entityRef} plugin={tab.plugin} />;
  if (Shown) return <Shown entity={entity} entityRef={entityRef} />;
  return ['group', 'user'].includes(entityRef.kind) ? (
    <GroupOverview entity={entity} entityRef={entityRef} />
  ) : (
    <Overview entity={entity} entityRef={entityRef} />
  );
}

function Loading(props: { of: Ref }) {
  return (
    <Page title={props.of.name} name={`${props.of.name} · ${kindOf(props.of.kind).one}`} bare>
      <HeaderSkeleton of={props.of} />
      <TabSkeleton />
    </Page>
  );
}

function nameOf(entity: Entity, ref: Ref, tab: Tab | undefined): string {
  const page = tab && tab.id !== 'overview' ? ` · ${tab.label}` : '';
  return `${titleOf(entity)} · ${kindOf(ref.kind).one}${page}`;
}
