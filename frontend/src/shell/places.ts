import {
  IconAlertTriangle,
  IconCloudDownload,
  IconHome,
  IconLayoutGrid,
  IconPlugConnected,
  IconShieldCheck,
  IconTopologyStar3,
  IconUsersGroup,
  type TablerIcon,
} from '@tabler/icons-react';

/** A page of the portal that one can go to. */
export type Place = {
  to: string;
  label: string;
  icon: TablerIcon;
  group: string /** Other words for it. */;
  words: string;
};

export const places: Place[] = [
  { to: '/', label: 'Home', icon: IconHome, group: '', words: 'start my team mine' },
  {
    to: '/catalog',
    label: 'Catalog',
    icon: IconLayoutGrid,
    group: '',
    words: 'services components apis resources list browse',
  },
  { to: '/systems', label: 'Systems', icon: IconTopologyStar3, group: '', words: 'domains map architecture' },
  { to: '/teams', label: 'Teams', icon: IconUsersGroup, group: '', words: 'groups people members organisation' },
  {
    to: '/ownership',
    label: 'Ownership',
    icon: IconShieldCheck,
    group: 'Quality',
    words: 'report who owns coverage codeowners',
  },
  {
    to: '/problems',
    label: 'Problems',
    icon: IconAlertTriangle,
    group: 'Quality',
    words: 'errors warnings broken mend',
  },
  {
    to: '/harvest',
    label: 'Harvest',
    icon: IconCloudDownload,
    group: 'Operation',
    words: 'sources runs locations jobs import',
  },
  { to: '/plugins', label: 'Plugins', icon: IconPlugConnected, group: 'Operation', words: 'facts extensions' },
];
