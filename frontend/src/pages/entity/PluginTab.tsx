import { Skeleton } from '@mantine/core';
import { IconPlugConnected } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { factsQuery, pluginsQuery } from '~/api/queries';
import type { Ref } from '~/entity/ref';
import { FactList } from '~/facts/FactList';
import { byPlugin, orderOf } from '~/facts/group';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Panel } from '~/parts/Panel';
import { title } from './tabs';

/** All that one plugin says of an entity, as the plugin declared it. */
export default function PluginTab({ entityRef, plugin }: { entityRef: Ref; plugin: string }) {
  const { data, error, refetch } = useQuery(factsQuery(entityRef));
  const { data: known } = useQuery({ ...pluginsQuery, retry: false });
  const summary = known?.plugins?.find((p) => p.descriptor?.name === plugin)?.descriptor?.summary;
  if (!data && error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={320} radius="lg" />;
  const facts = byPlugin(data.facts ?? [], orderOf(known?.plugins)).find(([name]) => name === plugin)?.[1] ?? [];
  if (facts.length === 0)
    return <Empty icon={IconPlugConnected} title="The plugin says nothing that is meant for people" />;
  return (
    <Panel title={title(plugin)} note={summary} flush>
      <FactList facts={facts} full />
    </Panel>
  );
}
