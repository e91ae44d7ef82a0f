import { ActionIcon, Button, Group, Menu, TextInput } from '@mantine/core';
import { IconBookmark, IconBookmarkFilled, IconCheck, IconTrash } from '@tabler/icons-react';
import { useRouter, useRouterState } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useSavedViews } from '~/shell/remembered';
import { catalogSearch } from './search';

/** Views that the reader gave a name, and a way to name this one. */
export function ViewsMenu() {
  const router = useRouter();
  const here = useRouterState({ select: (s) => s.location.searchStr });
  const { views, save, remove } = useSavedViews();
  const [name, setName] = useState('');
  const [opened, setOpened] = useState(false);
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
    <Menu position="bottom-end" width={280} opened={opened} onChange={setOpened} trapFocus>
      <Menu.Target>
        <Button
          variant="default"
          size="xs"
          leftSection={
            known ? <IconBookmarkFilled size={15} aria-hidden /> : <IconBookmark size={15} stroke={1.7} aria-hidden />
          }
        >
          {known ? known.name : 'Views'}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {views.map((v) => (
          <Group key={v.name} gap={4} wrap="nowrap">
            <Menu.Item
              onClick={() =>
                router.navigate({ to: '/catalog', search: catalogSearch(router.options.parseSearch?.(v.search) ?? {}) })
              }
              rightSection={v === known ? <IconCheck size={14} aria-label="shown now" /> : null}
            >
              <span className="clip">{v.name}</span>
            </Menu.Item>
            <ActionIcon
              variant="subtle"
              color="gray"
              onClick={() => remove(v.name)}
              aria-label={`Delete the view ${v.name}`}
            >
              <IconTrash size={14} stroke={1.7} />
            </ActionIcon>
          </Group>
        ))}
        {views.length > 0 ? <Menu.Divider /> : null}
        <form onSubmit={submit}>
          <Group gap={6} p={6} wrap="nowrap" align="end">
            <TextInput
              size="xs"
              flex={1}
              label="Save this view as"
              placeholder="Payments in production"
              maxLength={80}
              value={name}
              onChange={(e) => setName(e.currentTarget.value)}
              onKeyDown={(e) => e.stopPropagation()}
            />
            <Button size="xs" type="submit" disabled={!name.trim()}>
              Save
            </Button>
          </Group>
        </form>
      </Menu.Dropdown>
    </Menu>
  );
}
