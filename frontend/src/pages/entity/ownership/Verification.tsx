import { Button } from '@mantine/core';
import { IconRosetteDiscountCheck } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { changed, verifyOwnership } from '~/api/changes';
import type { Ownership } from '~/api/client';
import { parseRef, type Ref, shortRef } from '~/entity/ref';
import { Panel } from '~/parts/Panel';
import { Status, type Tone } from '~/parts/Status';
import { Time } from '~/parts/Time';
import { useActor } from '~/shell/remembered';
import { ActorField } from './ActorField';
import classes from './Ownership.module.css';
import { Refused } from './Refused';

const states: Record<string, [string, Tone]> = {
  STATE_VERIFIED: ['Verified', 'good'],
  STATE_DUE: ['Due', 'warn'],
  STATE_OVERDUE: ['Overdue', 'bad'],
};

/** When the owner last said that it is still theirs, and a place to say so. */
export function Verification({ ownership, entityRef }: { ownership: Ownership; entityRef: Ref }) {
  const client = useQueryClient();
  const [actor] = useActor();
  const v = ownership.verification;
  const [words, tone] = states[v?.state ?? ''] ?? ['Never asked', 'none'];
  const owner = ownership.ownerRef ? parseRef(ownership.ownerRef) : undefined;
  const verify = useMutation({
    mutationFn: () => verifyOwnership(entityRef, actor.trim()),
    onSuccess: () => changed(client, entityRef),
  });
  return (
    <Panel title="Verification" actions={<Status tone={tone}>{words}</Status>}>
      <p className={classes.lead}>
        {v?.verifyTime ? (
          <>
            {v.actor || 'Somebody'} said so <Time at={v.verifyTime} />.
          </>
        ) : (
          'Nobody has said yet that it is still theirs.'
        )}{' '}
        {v?.dueTime ? (
          <>
            Due <Time at={v.dueTime} />.
          </>
        ) : null}
      </p>
      {owner ? (
        <form
          className={classes.form}
          onSubmit={(e) => {
            e.preventDefault();
            verify.mutate();
          }}
        >
          <ActorField />
          <div className={classes.buttons}>
            <Button
              type="submit"
              size="xs"
              variant="default"
              leftSection={<IconRosetteDiscountCheck size={15} aria-hidden />}
              loading={verify.isPending}
              disabled={!actor.trim()}
            >
              It is still ours ({shortRef(owner)})
            </Button>
          </div>
          <Refused error={verify.error} />
        </form>
      ) : (
        <p className="soft">It needs an owner first.</p>
      )}
    </Panel>
  );
}
