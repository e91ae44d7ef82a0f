import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { changed } from '~/api/changes';
import type { Ref } from '~/entity/ref';
import { useActor } from '~/shell/remembered';
import { ActorField } from './ActorField';
import classes from './Ownership.module.css';
import { Refused } from './Refused';

/** A form by which a person decides something of an entity, under their name. */
export function Decision(props: {
  entityRef: Ref;
  /** On the button. */
  words: string;
  /** All is filled in but the name. */
  ready: boolean;
  decide: (actor: string) => Promise<unknown>;
  onDone: () => void;
  children: ReactNode;
}) {
  const client = useQueryClient();
  const [name] = useActor();
  const actor = name.trim();
  const deciding = useMutation({
    mutationFn: () => props.decide(actor),
    onSuccess: async () => {
      await changed(client, props.entityRef);
      props.onDone();
    },
  });
  return (
    <form
      className={classes.form}
      onSubmit={(e) => {
        e.preventDefault();
        deciding.mutate();
      }}
    >
      {props.children}
      <ActorField />
      <div className={classes.buttons}>
        <Button type="submit" size="xs" loading={deciding.isPending} disabled={!props.ready || !actor}>
          {props.words}
        </Button>
        <Button size="xs" variant="subtle" color="gray" onClick={props.onDone}>
          Cancel
        </Button>
      </div>
      <Refused error={deciding.error} />
    </form>
  );
}
