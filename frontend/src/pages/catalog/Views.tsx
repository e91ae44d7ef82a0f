import { ActionIcon, Button, Divider, Popover, TextInput } from '@mantine/core';
import { IconCheck, IconTrash } from '@tabler/icons-react';
import { Link, useRouter } from '@tanstack/react-router';
import { cloneElement, type FormEvent, useState } from 'react';
import type { WithButton } from '~/parts/MenuButton';
import { useOpen } from '~/parts/useOpen';
import { useSavedViews } from '~/shell/remembered';
import { catalogSearch } from './search';
import classes from './ViewsMenu.module.css';

/** The views that the reader gave a name, and a field to name this one. */
export default function Views({ here, button }: WithButton & { here: string }) {
  const router = useRouter();
  const { views, save, remove } = useSavedViews();
  const [name, setName] = useState('');
  const { opened, onChange: setOpened, button: target } = useOpen();
  const known = views.find((v) => v.search === here);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const words = name.trim();
    if (!words) return;
    save({ name: words, search: here });
    setName('');
    setOpened(false);
  };
  return (
    <Popover position="bottom-end" width={290} opened={opened} onChange={setOpened} trapFocus withRoles={false}>
      <Popover.Target>
        {cloneElement(button, { ref: target, 'aria-expanded': opened, onClick: () => setOpened(!opened) } as object)}
      </Popover.Target>
      <Popover.Dropdown p={6} role="dialog" aria-label="Saved views">
        {views.length > 0 ? (
          <>
            <ul className={classes.views}>
              {views.map((v) => (
                <li key={v.name} className={classes.view}>
                  <Link
                    to="/catalog"
                    search={catalogSearch(router.options.parseSearch?.(v.search) ?? {})}
                    preload={false}
                    className={classes.link}
                    title={v.name}
                    onClick={() => setOpened(false)}
                  >
                    <span className="clip">{v.name}</span>
                    {v === known ? <IconCheck size={14} role="img" aria-label="shown now" /> : null}
                  </Link>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    onClick={() => remove(v.name)}
                    aria-label={`Delete the view ${v.name}`}
                  >
                    <IconTrash size={14} stroke={1.7} aria-hidden />
                  </ActionIcon>
                </li>
              ))}
            </ul>
            <Divider my={6} />
          </>
        ) : null}
        <form onSubmit={submit} className={classes.form}>
          <TextInput
            size="xs"
            flex={1}
            label="Save this view as"
            placeholder="Payments in production"
            maxLength={80}
            data-autofocus
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
          />
          <Button size="xs" variant="default" type="submit" disabled={!name.trim()}>
            Save
          </Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
