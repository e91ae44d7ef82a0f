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
            <Menu.Item onClick={() => view.set((now) => ({ ...now, columns: undefined }))}>The usual columns</Menu.Item>
          </>
        ) : null}
      </div>
    </OpenedMenu>
  );
}
