import { expect, it } from 'vitest';
import { csvOf } from './exporting';

it('writes a line for each entity, with what it is before the chosen columns', () => {
  const entity = {
    name: 'entities/component:default/pay',
    kind: 'Component',
    metadata: { name: 'pay', title: '=cmd' },
    spec: { type: 'a,b' },
  };
  expect(csvOf([entity as never], [{ title: 'Type', text: () => 'a,b' }])).toBe(
    'Ref,Kind,Name,Title,Type\r\ncomponent:default/pay,Component,pay,\'=cmd,"a,b"\r\n',
  );
});
