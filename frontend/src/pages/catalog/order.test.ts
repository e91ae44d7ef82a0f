import { expect, it } from 'vitest';
import { parseOrder, sayOrder } from './order';

it('reads what a header can show', () => {
  expect(parseOrder('spec.type desc, metadata.name')).toEqual({ field: 'spec.type', desc: true });
  expect(parseOrder(' metadata.name ')).toEqual({ field: 'metadata.name', desc: false });
  expect(parseOrder('spec.type down')).toBeUndefined();
  expect(parseOrder(undefined)).toBeUndefined();
});

it('says what it read', () => {
  for (const text of ['spec.type', 'revision desc']) {
    const order = parseOrder(text);
    expect(order && sayOrder(order)).toBe(text);
  }
});
