import { Button } from '@mantine/core';
import { IconMapPin, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useAction } from '~/api/actions';
import { answer, api } from '~/api/client';
import { locationsQuery } from '~/api/queries';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Outside } from '~/parts/Outside';
import { Panel } from '~/parts/Panel';
import { Rows } from '~/parts/Rows';
import { Cell, Table } from '~/parts/Table';
import { Time } from '~/parts/Time';

/** Locations that were registered one by one. */
export function Locations() {
  const { data, error, isPending, refetch } = useQuery(locationsQuery);
  const [sure, setSure] = useState('');
  const remove = useAction(
    (id: string) => answer(api.DELETE('/v1/locations/{location}', { params: { path: { location: id } } })),
    ['harvest', 'entities', 'problems'],
  );
  if (isPending) return <Rows label="Locations" count={3} />;
  if (error && !data) return <Failure error={error} retry={refetch} />;
  const all = data?.locations ?? [];
  if (all.length === 0)
    return (
      <Panel>
        <Empty icon={IconMapPin} title="No location is registered">
          <p>A location is one catalog file that is read beside the configured sources, by its address.</p>
        </Empty>
      </Panel>
    );
  return (
    <Panel flush title="Registered locations" note={String(all.length)}>
      {remove.error ? <Failure error={remove.error} small /> : null}
      <Table
        label="Registered locations"
        columns={[{ name: 'Address' }, { name: 'Registered' }, { name: 'Actions', hidden: true }]}
      >
        {all.map((l) => {
          const id = (l.name ?? '').replace(/^locations\//, '');
          const address = (l.target ?? '').replace(/^url:/, '');
          return (
            <tr key={id}>
              <Cell main>
                <Outside href={address}>{address}</Outside>
              </Cell>
              <Cell tight below={l.creator ? `by ${l.creator}` : undefined}>
                <Time at={l.createTime} />
              </Cell>
              <Cell tight num>
                {sure === id ? (
                  <>
                    <Button size="compact-xs" color="red" loading={remove.isPending} onClick={() => remove.mutate(id)}>
                      Remove with what it declares
                    </Button>{' '}
                    <Button size="compact-xs" variant="default" onClick={() => setSure('')}>
                      Keep
                    </Button>
                  </>
                ) : (
                  <Button
                    size="compact-xs"
                    variant="default"
                    leftSection={<IconTrash size={12} />}
                    onClick={() => setSure(id)}
                    aria-label={`Remove ${address}`}
                  >
                    Remove
                  </Button>
                )}
              </Cell>
            </tr>
          );
        })}
      </Table>
    </Panel>
  );
}
