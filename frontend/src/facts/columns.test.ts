import { expect, test } from 'vitest';
import { columnsOf } from './columns';

test('the schema orders the columns, the rows say which there are', () => {
  const schema = {
    items: { properties: { owner: {}, role: { title: 'Role' }, unused: {} }, required: ['role', 'owner'] },
  };
  const columns = columnsOf([{ owner: 'a', role: 'b', hours: 3 }, null, 'hostile'], schema);
  expect(columns.map((c) => [c.name, c.title, c.numeric])).toEqual([
    ['role', 'Role', false],
    ['owner', '', false],
    ['hours', '', true],
  ]);
});

test('any schema will do', () => {
  expect(columnsOf([1, 2], { items: [] })).toEqual([]);
  expect(columnsOf([{ constructor: 1 }], undefined).map((c) => c.name)).toEqual(['constructor']);
});
