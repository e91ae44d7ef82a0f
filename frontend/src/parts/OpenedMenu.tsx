import { Menu, type MenuProps } from '@mantine/core';
import { cloneElement, type ReactNode } from 'react';
import type { WithButton } from './MenuButton';
import { useOpen } from './useOpen';

/** The menu of a MenuButton. */
export function OpenedMenu(props: Partial<MenuProps> & WithButton & { children: ReactNode }) {
  const { button, children, ...menu } = props;
  const { opened, onChange, button: target } = useOpen();
  return (
    <Menu position="bottom-end" opened={opened} onChange={onChange} {...menu}>
      <Menu.Target>{cloneElement(button, { ref: target } as object)}</Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  );
}
