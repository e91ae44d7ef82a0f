import { Alert, Button, Group, Modal } from '@mantine/core';
import { IconHandStop } from '@tabler/icons-react';
import { useState } from 'react';
import { useAction } from '~/api/actions';
import { answer, api, type Harvest } from '~/api/client';
import { Failure } from '~/parts/Failure';

/** A source that would lose too much at once waits for a person. */
export function Held({ harvest }: { harvest: Harvest }) {
  const [asked, setAsked] = useState(false);
  const confirm = useAction(
    () => answer(api.POST('/v1/harvests', { body: { source: harvest.source ?? '', confirmRemovals: true } })),
    ['harvest', 'entities', 'problems'],
  );
  const held = harvest.entitiesHeld ?? 0;
  const of = harvest.entitiesHeldOf ?? 0;
  return (
    <Alert
      mb="md"
      color="yellow"
      variant="light"
      icon={<IconHandStop size={18} />}
      title={`${harvest.source} would lose ${held} of ${of} entities: nothing was removed`}
    >
      <p>
        So much at once is more often a fault upstream than the truth: a token that sees less than it did, a listing
        that was cut off. See whether the repositories are really gone, then either harvest again or confirm.
      </p>
      <Button size="xs" color="red" variant="outline" onClick={() => setAsked(true)}>
        Confirm the removals…
      </Button>
      <Modal
        opened={asked}
        onClose={() => setAsked(false)}
        title={`Remove ${held} entities?`}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <p>
          The next harvest of {harvest.source} removes what it does not find any more. Their history stays, and they
          come back with it if their files do.
        </p>
        {confirm.error ? <Failure error={confirm.error} small /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => setAsked(false)}>
            Keep them
          </Button>
          <Button
            color="red"
            loading={confirm.isPending}
            onClick={() => confirm.mutate(undefined, { onSuccess: () => setAsked(false) })}
          >
            Harvest and remove
          </Button>
        </Group>
      </Modal>
    </Alert>
  );
}
