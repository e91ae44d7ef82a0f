import { Button } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { kindOf } from '~/entity/kinds';
import type { Ref } from '~/entity/ref';
import { Empty } from '~/parts/Empty';
import type { Tab } from './tabs';

export function UnknownTab(props: { wanted: string; tabs: Tab[]; entityRef: Ref }) {
  return (
    <Empty
      icon={IconMapOff}
      title={`There is no “${props.wanted}” here`}
      actions={props.tabs.slice(0, 4).map((tab, i) => (
        <Button
          key={tab.id}
          component={Link}
          to={`/catalog/${props.entityRef.namespace}/${props.entityRef.kind}/${props.entityRef.name}${i === 0 ? '' : `/${tab.id}`}`}
          size="xs"
          variant={i === 0 ? 'filled' : 'default'}
        >
          {tab.label}
        </Button>
      ))}
    >
      <p>
        {kindOf(props.entityRef.kind).many} do not have it, or the plugin that showed it says nothing of this one any
        more.
      </p>
    </Empty>
  );
}
