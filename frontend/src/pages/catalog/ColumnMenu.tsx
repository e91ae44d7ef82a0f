import { Button, Menu, ScrollArea } from '@mantine/core';
import { IconCheck, IconColumns3 } from '@tabler/icons-react';
import { defaultColumns } from './columns';
import type { CatalogView } from './useCatalog';

/** Which columns are shown; those of the usual choice are not in the address. */
export function ColumnMenu({ view }: { view: CatalogView }) {
  const { all, chosen } = view.columns;
  const ids = chosen.map((c) => c.id);
  const choose = (id: string) => {
    const next = ids.includes(id) ? ids.filter((i) => i !== id) : [...ids, id];
    const usual = next.length === defaultColumns.length && defaultColumns.every((d) => next.includes(d));
    // An address cannot hold an empty list: the name alone is what it says then.
    view.set((now) => ({ ...now, columns: usual ? undefined : next.length > 0 ? next : ['name'] }));
  };
  return (
    <Menu closeOnItemClick={false} position="bottom-end" width={230}>
      <Menu.Target>
        <Button variant="default" size="xs" leftSection={<IconColumns3 size={15} stroke={1.7} aria-hidden />}>
          Columns
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <ScrollArea.Autosize mah="60vh">
          {all.map((c) => (
            <Menu.Item
              key={c.id}
              role="menuitemcheckbox"
              aria-checked={ids.includes(c.id)}
              onClick={() => choose(c.id)}
              rightSection={ids.includes(c.id) ? <IconCheck size={14} stroke={2} aria-hidden /> : null}
            >
              {c.title}
            </Menu.Item>
          ))}
          {view.search.columns ? (
            <>
              <Menu.Divider />
              <Menu.Item onClick={() => view.set((now) => ({ ...now, columns: undefined }))}>
                The usual columns
              </Menu.Item>
            </>
          ) : null}
        </ScrollArea.Autosize>
      </Menu.Dropdown>
    </Menu>
  );
}
