import { Menu } from '@mantine/core';
import { IconBraces, IconExternalLink, IconLink, IconPencil, IconRefresh } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { Ref } from '~/entity/ref';
import type { WithButton } from '~/parts/MenuButton';
import { OpenedMenu } from '~/parts/OpenedMenu';

type Props = { entityRef: Ref; edit: string | undefined; read: () => void; copy: () => void };

export default function ActionItems(props: WithButton & Props) {
  return (
    <OpenedMenu button={props.button} width={230}>
      <Menu.Item leftSection={<IconRefresh size={15} aria-hidden />} onClick={props.read}>
        Refresh from its source
      </Menu.Item>
      {props.edit ? (
        <Menu.Item
          component="a"
          href={props.edit}
          target="_blank"
          rel="noopener noreferrer nofollow"
          leftSection={<IconPencil size={15} aria-hidden />}
          rightSection={<IconExternalLink size={13} aria-hidden />}
        >
          Edit the catalog file
        </Menu.Item>
      ) : null}
      <Menu.Divider />
      <Menu.Item leftSection={<IconLink size={15} aria-hidden />} onClick={props.copy}>
        Copy a link to this page
      </Menu.Item>
      <Menu.Item
        component={Link}
        to={`/catalog/${props.entityRef.namespace}/${props.entityRef.kind}/${props.entityRef.name}/raw`}
        leftSection={<IconBraces size={15} aria-hidden />}
      >
        Show as YAML
      </Menu.Item>
    </OpenedMenu>
  );
}
