import { expect, test } from 'vitest';
import { byPlugin, orderOf } from './group';

test('facts are grouped by plugin, in the order of their declarations', () => {
  const order = orderOf([{ descriptor: { facts: [{ key: 'b.main' }, { key: 'b.also' }, { key: 'b.rule' }] } }]);
  const groups = byPlugin(
    [
      { key: 'b.unknown', plugin: 'b' },
      { key: 'b.also', plugin: 'b' },
      { key: 'b.rule', plugin: 'b', type: { display: 'hidden' } },
      { key: 'b.main', plugin: 'b' },
      { key: 'a.x' },
    ],
    order,
  );
  expect(groups.map(([plugin, facts]) => [plugin, facts.map((f) => f.key)])).toEqual([
    ['a', ['a.x']],
    ['b', ['b.main', 'b.also', 'b.unknown']],
  ]);
});
