import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Entity } from '~/api/client';
import { factsQuery, pluginsQuery } from '~/api/queries';
import type { Ref } from '~/entity/ref';
import { FactList } from '~/facts/FactList';
import { byPlugin, orderOf } from '~/facts/group';
import { Failure } from '~/parts/Failure';
import { Panel } from '~/parts/Panel';
import { Time } from '~/parts/Time';
import { tabOfPlugin, title } from '../tabs';
import classes from './Overview.module.css';

/** A card for each plugin that says something. */
export function Facts({ entity, entityRef }: { entity: Entity; entityRef: Ref }) {
  const { data, error, refetch } = useQuery(factsQuery(entityRef));
  const plugins = useQuery({ ...pluginsQuery, retry: false });
  if (!data && error) return <Failure error={error} retry={() => void refetch()} small />;
  if (!data || plugins.isPending) return <Skeleton height={230} radius="lg" />;
  const missing = new Set((entity.relations ?? []).filter((r) => !r.targetExists).map((r) => r.targetRef ?? ''));
  return byPlugin(data.facts ?? [], orderOf(plugins.data?.plugins)).map(([plugin, facts]) => {
    const seen = facts.map((f) => f.observeTime ?? '').sort();
    return (
      <Panel
        key={plugin}
        title={title(plugin)}
        actions={
          <Link
            to="/catalog/$namespace/$kind/$name/$tab"
            params={{ ...entityRef, tab: tabOfPlugin(plugin) }}
            resetScroll={false}
            className={classes.more}
          >
            Details<span className="sr-only"> of {title(plugin)}</span>
          </Link>
        }
      >
        <FactList facts={facts} missing={missing} />
        <p className={classes.age}>
          Seen <Time at={seen.at(-1)} />
        </p>
      </Panel>
    );
  });
}
