import { SegmentedControl } from '@mantine/core';
import type { Entity } from '~/api/client';
import type { Ref } from '~/entity/ref';
import { useTabSearch } from '../useTabSearch';
import EntityCode from './EntityCode';

export default function RawTab({ entity, entityRef }: { entity: Entity; entityRef: Ref }) {
  const [search, change] = useTabSearch(entityRef);
  const format = search.format === 'json' ? 'json' : 'yaml';
  return (
    <EntityCode entity={entity} format={format}>
      <SegmentedControl
        size="xs"
        aria-label="Format"
        value={format}
        onChange={(v) => change({ format: v === 'json' ? 'json' : undefined })}
        data={[
          { value: 'yaml', label: 'YAML' },
          { value: 'json', label: 'JSON' },
        ]}
      />
    </EntityCode>
  );
}
