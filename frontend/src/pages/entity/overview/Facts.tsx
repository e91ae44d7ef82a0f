import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { factsQuery } from '~/api/queries';
import type { Ref } from '~/entity/ref';
import { FactList } from '~/facts/FactList';
import { byPlugin } from '~/facts/group';
import { Failure } from '~/parts/Failure';
import { Panel } from '~/parts/Panel';
import { Time } from '~/parts/Time';
import { tabOfPlugin, title } from '../tabs';
import classes from './Overview.module.css';

/** A card for each plugin that says something. */
export function Facts({ entityRef }: { entityRef: Ref }) {
  const { data, error, refetch } = useQuery(factsQuery(entityRef));
  if (!data && error) return <Failure error={error} retry={() => void refetch()} small />;
  if (!data) return <Skeleton height={230} radius="lg" />;
  return byPlugin(data.facts ?? []).map(([plugin, facts]) => {
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
        <FactList facts={facts} />
        <p className={classes.age}>
          Seen <Time at={seen.at(-1)} />
        </p>
      </Panel>
    );
  });
}
