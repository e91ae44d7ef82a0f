import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { readmeQuery } from '~/api/readme';
import type { Ref } from '~/entity/ref';
import { Markdown } from '~/parts/Markdown';
import { Outside } from '~/parts/Outside';
import { Panel } from '~/parts/Panel';
import { excerpt } from './excerpt';
import classes from './Overview.module.css';

/** The beginning of the README beside the catalog file; nothing if there is none. */
export function Readme({ entityRef }: { entityRef: Ref }) {
  const { data } = useQuery(readmeQuery(entityRef));
  const [all, setAll] = useState(false);
  if (!data?.content) return null;
  const begin = excerpt(data.content);
  const more = begin.length < data.content.length;
  return (
    <Panel
      title="README"
      note={data.path}
      actions={data.viewUrl ? <Outside href={data.viewUrl}>Source</Outside> : undefined}
    >
      {/\.(md|markdown|mdown)$/i.test(data.path ?? '') ? (
        <Markdown text={all ? data.content : begin} base={data.viewUrl} from={3} />
      ) : (
        <pre className={classes.plain}>{all ? data.content : begin}</pre>
      )}
      {more && !all ? (
        <Button variant="default" size="xs" mt="sm" onClick={() => setAll(true)}>
          Show all
        </Button>
      ) : null}
      {all && data.truncated ? <p className={classes.age}>The rest is in the repository: it is too long.</p> : null}
    </Panel>
  );
}
