import { Button, Group } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useMemo } from 'react';
import { stringify } from 'yaml';
import type { Entity } from '~/api/client';
import { envelope } from '~/entity/envelope';
import { Code } from '~/parts/Code';
import { Copy } from '~/parts/Copy';
import { download } from '~/parts/download';
import classes from './Raw.module.css';

/** An entity as text, to read and to take along. Loaded lazily for the sake of the YAML library. */
export default function EntityCode(props: { entity: Entity; format: 'yaml' | 'json'; children?: React.ReactNode }) {
  const { entity, format } = props;
  const text = useMemo(() => {
    const value = envelope(entity);
    return format === 'json' ? `${JSON.stringify(value, null, 2)}\n` : stringify(value, { lineWidth: 0 });
  }, [entity, format]);
  const name = `${entity.metadata?.name || 'entity'}.${format}`;
  return (
    <div className={classes.raw}>
      <Group gap="xs" justify="space-between">
        <div>{props.children}</div>
        <Group gap="xs">
          <Copy text={text} label={`Copy the ${format.toUpperCase()}`} words="Copy" />
          <Button
            size="xs"
            variant="default"
            leftSection={<IconDownload size={14} aria-hidden />}
            onClick={() => download(name, text, format === 'json' ? 'application/json' : 'application/yaml')}
            aria-label={`Download ${name}`}
          >
            Download
          </Button>
        </Group>
      </Group>
      <Code text={text} language={format} label={`${name}, to read`} />
    </div>
  );
}
