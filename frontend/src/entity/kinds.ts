import {
  IconApi,
  IconBox,
  IconComponents,
  IconDatabase,
  IconFileText,
  IconMapPin,
  IconPuzzle,
  IconTemplate,
  IconTopologyStar3,
  IconUser,
  IconUsersGroup,
  IconWorld,
  type TablerIcon,
} from '@tabler/icons-react';

type Kind = { icon: TablerIcon; one: string; many: string };

const kinds: Record<string, Kind> = {
  component: { icon: IconBox, one: 'Component', many: 'Components' },
  api: { icon: IconApi, one: 'API', many: 'APIs' },
  resource: { icon: IconDatabase, one: 'Resource', many: 'Resources' },
  system: { icon: IconComponents, one: 'System', many: 'Systems' },
  domain: { icon: IconWorld, one: 'Domain', many: 'Domains' },
  group: { icon: IconUsersGroup, one: 'Group', many: 'Groups' },
  user: { icon: IconUser, one: 'User', many: 'Users' },
  location: { icon: IconMapPin, one: 'Location', many: 'Locations' },
  template: { icon: IconTemplate, one: 'Template', many: 'Templates' },
  product: { icon: IconPuzzle, one: 'Product', many: 'Products' },
  graph: { icon: IconTopologyStar3, one: 'Graph', many: 'Graphs' },
};

/** In the order in which people look for them; other kinds come after, by name. */
export const kindOrder = ['component', 'api', 'resource', 'system', 'domain', 'group', 'user', 'template', 'location'];

/** How a kind is shown; custom kinds get a plain icon and their own name. */
export function kindOf(kind: string): Kind {
  const known = kinds[kind.toLowerCase()];
  if (known) return known;
  const name = kind.charAt(0).toUpperCase() + kind.slice(1);
  return { icon: IconFileText, one: name, many: name.endsWith('s') ? name : `${name}s` };
}

/** Known kinds first, in that order, then the others by name. */
export function compareKinds(a: string, b: string): number {
  const at = (kind: string) => (kindOrder.includes(kind) ? kindOrder.indexOf(kind) : kindOrder.length);
  return at(a) - at(b) || a.localeCompare(b);
}
