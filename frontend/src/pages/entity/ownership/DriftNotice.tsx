import { Button, TextInput } from '@mantine/core';
import { IconArrowsSplit2 } from '@tabler/icons-react';
import { useState } from 'react';
import { dismissDrift } from '~/api/changes';
import type { Ownership } from '~/api/client';
import { EntityLink } from '~/entity/EntityLink';
import type { Ref } from '~/entity/ref';
import { formatPercent } from '~/facts/format';
import { Panel } from '~/parts/Panel';
import { Time } from '~/parts/Time';
import { Decision } from './Decision';
import classes from './Ownership.module.css';

/** What is declared is not what the work shows. */
export function DriftNotice({ drift, entityRef }: { drift: NonNullable<Ownership['drift']>; entityRef: Ref }) {
  const dismissed = drift.dismissedUntil && Date.parse(drift.dismissedUntil) > Date.now();
  const [asking, setAsking] = useState(false);
  return (
    <Panel title="Drift">
      <div className={classes.drift} data-quiet={dismissed || undefined}>
        <IconArrowsSplit2 size={18} stroke={1.7} aria-hidden />
        <div>
          <p>
            <EntityLink of={drift.evidentRef ?? ''} /> did {formatPercent(drift.share ?? 0)} of the work in the last 90
            days ({drift.commits ?? 0} commits), but{' '}
            {drift.declaredRef ? <EntityLink of={drift.declaredRef} /> : 'nobody'} is declared. The two differ since{' '}
            <Time at={drift.since} />.
          </p>
          {dismissed ? (
            <p className="soft">
              Dismissed by {drift.dismissedBy || 'somebody'} until <Time at={drift.dismissedUntil} />
              {drift.dismissedReason ? `: ${drift.dismissedReason}` : ''}
            </p>
          ) : asking ? (
            <Dismiss entityRef={entityRef} onDone={() => setAsking(false)} />
          ) : (
            <Button size="xs" variant="default" onClick={() => setAsking(true)}>
              Dismiss…
            </Button>
          )}
        </div>
      </div>
    </Panel>
  );
}

function Dismiss({ entityRef, onDone }: { entityRef: Ref; onDone: () => void }) {
  const [words, setReason] = useState('');
  const reason = words.trim();
  return (
    <Decision
      entityRef={entityRef}
      words="Dismiss for 90 days"
      ready={reason !== ''}
      decide={(actor) => dismissDrift(entityRef, { reason, actor })}
      onDone={onDone}
    >
      <TextInput
        size="xs"
        label="Why it is as it should be"
        placeholder="They help out until spring"
        value={words}
        onChange={(e) => setReason(e.currentTarget.value)}
        maxLength={1000}
        required
        autoFocus
      />
    </Decision>
  );
}
