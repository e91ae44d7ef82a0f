import { useNavigate, useSearch } from '@tanstack/react-router';
import type { Entity } from '~/api/client';
import type { Ref } from '~/entity/ref';
import { Graph } from '~/graph/Graph';

/** What the entity stands on and what stands on it; of a system or domain, its parts. */
export default function DependenciesTab(props: { entity: Entity; entityRef: Ref }) {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  return (
    <Graph
      of={props.entityRef}
      search={search}
      onSearch={(change, walk) =>
        void navigate({ to: '.', search: (s) => ({ ...s, ...change }), replace: !walk, resetScroll: false })
      }
    />
  );
}
