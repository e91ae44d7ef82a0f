import { expect, it } from 'vitest';
import { nextOrder, parseOrder } from './order';

it('reads what a header can show', () => {
  expect(parseOrder('spec.type desc, metadata.name')).toEqual({ field: 'spec.type', desc: true });
  expect(parseOrder(' metadata.name ')).toEqual({ field: 'metadata.name', desc: false });
  expect(parseOrder('spec.type down')).toBeUndefined();
  expect(parseOrder(undefined)).toBeUndefined();
});

it('goes round by clicks', () => {
  expect(nextOrder(undefined, 'spec.type')).toBe('spec.type');
  expect(nextOrder('spec.type', 'spec.type')).toBe('spec.type desc');
  expect(nextOrder('spec.type desc', 'spec.type')).toBeUndefined();
  expect(nextOrder('metadata.name', 'spec.type')).toBe('spec.type');
  expect(nextOrder(undefined, 'revision', true)).toBe('revision desc');
  expect(nextOrder('revision desc', 'revision', true)).toBe('revision');
});
