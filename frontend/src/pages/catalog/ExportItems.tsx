import { Menu } from '@mantine/core';
import type { WithButton } from '~/parts/MenuButton';
import { OpenedMenu } from '~/parts/OpenedMenu';
import type { Format } from './exporting';

export default function ExportItems({ start, button }: WithButton & { start: (format: Format) => void }) {
  return (
    <OpenedMenu button={button}>
      <Menu.Item onClick={() => start('csv')}>CSV, for spreadsheets</Menu.Item>
      <Menu.Item onClick={() => start('json')}>JSON, with the chosen columns</Menu.Item>
    </OpenedMenu>
  );
}
