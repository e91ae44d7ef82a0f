import { expect, test } from 'vitest';
import type { Entity } from '~/api/client';
import { countSystems, countsOf, searchTree, treeOf } from './tree';

const entity = (name: string, spec: Record<string, unknown> = {}): Entity => ({
  name: `entities/${name}`,
  metadata: { title: name.split('/')[1] },
  spec: spec as never,
});
const domains = [
  entity('domain:default/commerce'),
  entity('domain:default/checkout', { subdomainOf: 'commerce' }),
  entity('domain:default/x', { subdomainOf: 'y' }),
  entity('domain:default/y', { subdomainOf: 'domain:default/x' }),
];
const systems = [
  entity('system:default/money', { domain: 'checkout' }),
  entity('system:default/odd', { domain: { not: 'a text' } }),
  entity('system:default/lost', { domain: 'gone' }),
];

test('domains hold domains and systems; circles and what is missing are not lost', () => {
  const tree = treeOf(domains, systems, new Map([['system:default/money', { component: 3 }]]));
  expect(tree.map((d) => d.key)).toEqual([
    'domain:default/commerce',
    'domain:default/gone',
    'domain:default/x',
    'domain:default/y',
    '',
  ]);
  expect(tree[0]?.domains[0]?.systems[0]).toMatchObject({ key: 'system:default/money', counts: { component: 3 } });
  expect(tree[1]).toMatchObject({ missing: true, systems: [{ key: 'system:default/lost' }] });
  expect(tree[4]).toMatchObject({ title: 'Not in a domain', systems: [{ key: 'system:default/odd' }] });
  expect(countSystems(tree)).toBe(3);
});

test('search keeps what matches and what it stands in', () => {
  const tree = treeOf(domains, systems, new Map());
  expect(searchTree(tree, 'MON')[0]?.domains[0]?.systems.map((s) => s.title)).toEqual(['money']);
  expect(searchTree(tree, 'MON')).toHaveLength(1);
  expect(countSystems(searchTree(tree, 'checkout'))).toBe(1);
  expect(searchTree(tree, 'nothing like it')).toEqual([]);
  expect(searchTree(tree, ' ')).toBe(tree);
});

test('counts by kind, of systems alone', () => {
  const facet = {
    values: [
      { value: 'system:default/a', count: 2 },
      { value: 'component:default/b', count: 1 },
    ],
  };
  expect([
    ...countsOf([
      { kind: 'api', facet },
      { kind: 'component', facet: undefined },
    ]),
  ]).toEqual([['system:default/a', { api: 2 }]]);
});
