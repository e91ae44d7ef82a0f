import { Button, CloseButton, Group, TextInput } from '@mantine/core';
import { IconEye, IconMapPinPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useAction } from '~/api/actions';
import { answer, api } from '~/api/client';
import { ApiError } from '~/api/errors';
import { EntityLink } from '~/entity/EntityLink';
import { Panel } from '~/parts/Panel';
import { Status } from '~/parts/Status';
import classes from './Register.module.css';
import { targetOf } from './target';

const call = (target: string, validateOnly: boolean) =>
  answer(api.POST('/v1/locations', { body: { target, validateOnly } }));

/** Registers a location by its address, after a look at what it would add. */
export function Register(props: { target: string; onClose: () => void }) {
  const [text, setText] = useState(props.target === 'url' ? '' : props.target);
  const [looked, setLooked] = useState('');
  const preview = useAction((target: string) => call(target, true), []);
  const register = useAction((target: string) => call(target, false), ['harvest', 'entities', 'problems']);
  const target = targetOf(text);
  const seen = target !== undefined && looked === target ? preview.data : undefined;
  const error = register.error ?? (looked === target ? preview.error : null);
  const done = register.data;

  if (done)
    return (
      <Panel
        title="Registered"
        className={classes.panel}
        actions={<CloseButton aria-label="Close" onClick={props.onClose} />}
      >
        <Status tone="good">It is in the catalog</Status>
        <Refs refs={done.entityRefs ?? []} />
      </Panel>
    );
  return (
    <Panel
      title="Register a location"
      className={classes.panel}
      actions={<CloseButton aria-label="Close" onClick={props.onClose} />}
    >
      <form
        className={classes.form}
        onSubmit={(e) => {
          e.preventDefault();
          if (!target) return;
          register.reset();
          setLooked(target);
          preview.mutate(target);
        }}
      >
        <TextInput
          className={classes.address}
          label="Address of a catalog file"
          description="As the browser shows it, on a host that this server may read."
          placeholder="https://github.com/acme/shop/blob/main/catalog-info.yaml"
          value={text}
          onChange={(e) => setText(e.currentTarget.value)}
          error={text !== '' && !target ? 'Paste an address that begins with https://' : undefined}
          data-autofocus
        />
        <Button
          type="submit"
          variant="default"
          disabled={!target}
          loading={preview.isPending}
          leftSection={<IconEye size={15} />}
        >
          Preview
        </Button>
      </form>
      {error ? (
        <div role="alert" className={classes.error}>
          <Status tone="bad">
            {error instanceof ApiError && error.code === 'PERMISSION_DENIED' ? 'Not allowed' : 'Cannot be read'}
          </Status>
          <p>{error.message}</p>
          {error instanceof ApiError && error.hint ? <p>{error.hint}</p> : null}
        </div>
      ) : null}
      {seen ? (
        <div aria-live="polite">
          <p className={classes.words}>
            {seen.entityRefs?.length
              ? `It would add or change ${seen.entityRefs.length} ${seen.entityRefs.length === 1 ? 'entity' : 'entities'}:`
              : 'It declares nothing that could be added.'}
          </p>
          <Refs refs={seen.entityRefs ?? []} />
          {seen.problems?.length ? (
            <ul className={classes.problems}>
              {seen.problems.map((p, i) => (
                <li key={i}>
                  <Status tone={p.severity === 'SEVERITY_ERROR' ? 'bad' : 'warn'} plain>
                    {p.path}
                    {p.line ? `:${p.line}` : ''}
                  </Status>{' '}
                  {p.message}
                  {p.hint ? <span className="soft"> {p.hint}</span> : null}
                </li>
              ))}
            </ul>
          ) : null}
          <Group justify="flex-end" mt="sm">
            <Button
              leftSection={<IconMapPinPlus size={15} />}
              disabled={!target}
              loading={register.isPending}
              onClick={() => target && register.mutate(target)}
            >
              Register
            </Button>
          </Group>
        </div>
      ) : null}
    </Panel>
  );
}

function Refs({ refs }: { refs: string[] }) {
  return (
    <ul className={classes.refs}>
      {refs.slice(0, 100).map((r) => (
        <li key={r}>
          <EntityLink of={r} />
        </li>
      ))}
      {refs.length > 100 ? <li className="soft">and {refs.length - 100} more</li> : null}
    </ul>
  );
}
