import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { changed, deleteOverride, setOverride } from '~/api/changes';
import type { Ownership } from '~/api/client';
import { EntityLink } from '~/entity/EntityLink';
import type { Ref } from '~/entity/ref';
import { EvidenceList } from '~/facts/EvidenceList';
import { Panel } from '~/parts/Panel';
import { Decision } from './Decision';
import { OwnerPicker } from './OwnerPicker';
import classes from './Ownership.module.css';
import { Refused } from './Refused';

/** A person's decision, above all evidence. For the time until the file says it. */
export function Override({ ownership, entityRef }: { ownership: Ownership; entityRef: Ref }) {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const now = (ownership.candidates ?? []).find((c) => c.source === 'override');
  const remove = useMutation({
    mutationFn: () => deleteOverride(entityRef),
    onSuccess: () => changed(client, entityRef),
  });
  return (
    <Panel title="Decision by a person">
      {now ? (
        <>
          <p className={classes.lead}>
            <EntityLink of={now.ownerRef ?? ''} missing={!now.exists} />
          </p>
          <EvidenceList of={now.evidence} />
          <div className={classes.buttons}>
            <Button size="xs" variant="default" loading={remove.isPending} onClick={() => remove.mutate()}>
              Take it back
            </Button>
            {open ? null : (
              <Button size="xs" variant="subtle" onClick={() => setOpen(true)}>
                Change…
              </Button>
            )}
          </div>
          <Refused error={remove.error} />
        </>
      ) : (
        <>
          <p className={classes.lead}>
            None. A decision counts above all evidence; where the owner stays for good, write it into{' '}
            <code>spec.owner</code> instead.
          </p>
          {open ? null : (
            <Button size="xs" variant="default" onClick={() => setOpen(true)}>
              Decide the owner…
            </Button>
          )}
        </>
      )}
      {open ? <Form entityRef={entityRef} onDone={() => setOpen(false)} /> : null}
    </Panel>
  );
}

function Form({ entityRef, onDone }: { entityRef: Ref; onDone: () => void }) {
  const [owner, setOwner] = useState('');
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState('');
  return (
    <Decision
      entityRef={entityRef}
      words="Decide"
      ready={owner.trim() !== '' && reason.trim() !== ''}
      decide={(actor) =>
        setOverride(entityRef, {
          owner: owner.trim(),
          reason: reason.trim(),
          actor,
          expireTime: until ? new Date(`${until}T23:59:59`).toISOString() : undefined,
        })
      }
      onDone={onDone}
    >
      <OwnerPicker value={owner} onChange={setOwner} />
      <TextInput
        size="xs"
        label="Reason"
        placeholder="The team was split last week"
        value={reason}
        onChange={(e) => setReason(e.currentTarget.value)}
        maxLength={1000}
        required
      />
      <TextInput
        size="xs"
        type="date"
        label="Until"
        description="Empty: until somebody takes it back"
        value={until}
        onChange={(e) => setUntil(e.currentTarget.value)}
      />
    </Decision>
  );
}
