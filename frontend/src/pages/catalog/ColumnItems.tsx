import { Menu } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import type { WithButton } from '~/parts/MenuButton';
import { OpenedMenu } from '~/parts/OpenedMenu';
import classes from './Catalog.module.css';
import { defaultColumns } from './columns';
import type { CatalogView } from './useCatalog';

/** Which columns are shown; those of the usual choice are not in the address. */
export default function ColumnItems({ view, button }: WithButton & { view: CatalogView }) {
  const { all, chosen } = view.columns;
  const ids = chosen.map((c) => c.id);
  const choose = (id: string) => {
    const next = ids.includes(id) ? ids.filter((i) => i !== id) : [...ids, id];
    const usual = next.length === defaultColumns.length && defaultColumns.every((d) => next.includes(d));
    // An address cannot hold an empty list: the name alone is what it says then.
    view.set((now) => ({ ...now, columns: usual ? undefined : next.length > 0 ? next : ['name'] }));
  };
  return (
    <OpenedMenu button={button} closeOnItemClick={false} width={230}>
      <div className={classes.choices}>
        {all.map((c) => (
          <Menu.CheckboxItem
            key={c.id}
            checked={ids.includes(c.id)}
            checkIcon={<IconCheck size={14} stroke={2} aria-hidden />}
            onChange={() => choose(c.id)}
          >
            {c.title}
          </Menu.CheckboxItem>
        ))}
        {view.search.columns ? (
          <>
            <Menu.Divider />
            <Menu.Item onClick={() => view.set((now) => ({ ...now, columns: undefined }))}>The usual columns</Menu.Item>
          </>
        ) : null}
      </div>
    </OpenedMenu>
  );
}
