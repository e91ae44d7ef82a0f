import { Button } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { Empty } from './Empty';
import { Page } from './Page';

export function NotFound() {
  return (
    <Page title="Page not found">
      <Empty
        icon={IconMapOff}
        title="There is no page at this address"
        actions={
          <>
            <Button component={Link} to="/" size="xs">
              Home
            </Button>
            <Button component={Link} to="/catalog" size="xs" variant="default">
              Browse the catalog
            </Button>
          </>
        }
      >
        <p>The link may be old or mistyped. Press ⌘K or Ctrl+K to find what you were looking for.</p>
      </Empty>
    </Page>
  );
}
