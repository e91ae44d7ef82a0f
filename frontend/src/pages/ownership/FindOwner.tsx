import { Button, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { findOwnerQuery } from '~/api/queries';
import { EntityLink } from '~/entity/EntityLink';
import { Failure } from '~/parts/Failure';
import { Outside } from '~/parts/Outside';
import { Panel } from '~/parts/Panel';
import classes from './FindOwner.module.css';

const route = getRouteApi('/ownership');

/** Who owns a path of a repository: the question that one has with a stack trace in hand. */
export function FindOwner(props: { repository: string; path: string }) {
  const navigate = route.useNavigate();
  const [repository, setRepository] = useState(props.repository);
  const [path, setPath] = useState(props.path);
  const { data, error, isFetching } = useQuery({
    ...findOwnerQuery(props.repository, props.path),
    enabled: props.repository !== '',
  });
  return (
    <Panel title="Who owns a file?">
      <form
        className={classes.form}
        onSubmit={(e) => {
          e.preventDefault();
          navigate({
            search: (s) => ({ ...s, repository: repository.trim() || undefined, path: path.trim() || undefined }),
          });
        }}
      >
        <TextInput
          size="xs"
          label="Repository or address"
          placeholder="acme/checkout"
          value={repository}
          onChange={(e) => setRepository(e.currentTarget.value)}
        />
        <TextInput
          size="xs"
          label="Path"
          placeholder="services/web/main.go"
          value={path}
          onChange={(e) => setPath(e.currentTarget.value)}
        />
        <Button type="submit" size="xs" variant="default" loading={isFetching} leftSection={<IconSearch size={13} />}>
          Find
        </Button>
      </form>
      {error ? <Failure error={error} small /> : null}
      {data ? (
        <dl className={classes.found} aria-live="polite">
          <dt>CODEOWNERS</dt>
          <dd>
            {data.codeowners?.length ? data.codeowners.join(' ') : <span className="soft">says nothing</span>}{' '}
            {data.codeownersEvidence?.url ? (
              <Outside href={data.codeownersEvidence.url}>
                {data.codeownersEvidence.path}:{data.codeownersEvidence.line}
              </Outside>
            ) : null}
          </dd>
          {(data.entities ?? []).slice(0, 4).map((o) => (
            <div key={o.entityRef} className={classes.row}>
              <dt>
                <EntityLink of={o.entityRef ?? ''} />
              </dt>
              <dd>{o.ownerRef ? <EntityLink of={o.ownerRef} /> : <span className="soft">nobody</span>}</dd>
            </div>
          ))}
          {data.entities?.length ? null : <p className="soft">No entity of the catalog is declared there.</p>}
        </dl>
      ) : null}
    </Panel>
  );
}
