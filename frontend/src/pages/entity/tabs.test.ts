import { expect, test } from 'vitest';
import type { Entity } from '~/api/client';
import { tabsOf } from './tabs';

const ids = (entity: unknown) => tabsOf(entity as Entity).map((t) => t.id);

test('only tabs that make sense', () => {
  expect(ids({ kind: 'User' })).toEqual(['overview', 'history', 'problems', 'raw']);
  expect(ids({ kind: 'API' })).toContain('definition');
  expect(ids({ kind: 'Component', spec: { definition: null } })).not.toContain('definition');
});

test('a plugin with facts contributes a tab, and takes no other one away', () => {
  const facts = { 'ownership.owner': 'group:default/a', 'error-budget.left': 0.4, 'history.age': 3, '': 1 };
  const tabs = tabsOf({ kind: 'Component', facts } as unknown as Entity);
  expect(tabs.filter((t) => t.plugin)).toEqual([
    { id: 'error-budget', label: 'Error budget', plugin: 'error-budget' },
    { id: 'plugin-history', label: 'History', plugin: 'history' },
  ]);
});
