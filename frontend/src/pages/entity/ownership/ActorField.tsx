import { TextInput } from '@mantine/core';
import { useActor } from '~/shell/remembered';

/** Who decides: the server does not know its callers yet. Kept in the browser. */
export function ActorField() {
  const [actor, setActor] = useActor();
  return (
    <TextInput
      size="xs"
      label="Your name"
      description="Stands beside what you decide; kept in this browser"
      value={actor}
      onChange={(e) => setActor(e.currentTarget.value)}
      maxLength={200}
      required
      autoComplete="name"
    />
  );
}
