import { IconBookmark, IconBookmarkFilled } from '@tabler/icons-react';
import { useRouterState } from '@tanstack/react-router';
import { memo } from 'react';
import { MenuButton } from '~/parts/MenuButton';
import { useSavedViews } from '~/shell/remembered';

/** Views that the reader gave a name, and a way to name this one. */
export const ViewsMenu = memo(function ViewsMenu() {
  const here = useRouterState({ select: (s) => s.location.searchStr });
  const known = useSavedViews().views.find((v) => v.search === here);
  return (
    <MenuButton
      load={() => import('./Views')}
      give={{ here }}
      maw="14rem"
      leftSection={
        known ? <IconBookmarkFilled size={15} aria-hidden /> : <IconBookmark size={15} stroke={1.7} aria-hidden />
      }
    >
      <span className="clip">{known ? known.name : 'Views'}</span>
    </MenuButton>
  );
});
