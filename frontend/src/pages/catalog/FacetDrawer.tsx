import { Button, Drawer } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Catalog.module.css';

/** The facets where there is no room for them beside the list. */
export default function FacetDrawer(props: {
  opened: boolean;
  close: () => void;
  total?: number;
  children: ReactNode;
}) {
  return (
    <Drawer.Root opened={props.opened} onClose={props.close} size="20rem">
      <Drawer.Overlay />
      <Drawer.Content aria-label="Filters">
        <Drawer.Body className={classes.drawer}>
          <div className={classes.drawerList}>{props.children}</div>
          <div className={classes.drawerFoot}>
            <Button fullWidth variant="default" onClick={props.close}>
              Show {props.total?.toLocaleString('en') ?? ''} results
            </Button>
          </div>
        </Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  );
}
