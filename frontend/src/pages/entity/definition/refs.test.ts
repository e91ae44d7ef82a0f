import { expect, test } from 'vitest';
import { resolve } from './refs';

const doc = {
  paths: { '/a/{b}': { get: 1 } },
  components: {
    a: { $ref: '#/components/b' },
    b: { $ref: '#/components/a' },
    self: { $ref: '#/components/self' },
    chain: { $ref: '#/components/end' },
    end: { type: 'string' },
    list: ['x', 'y'],
  },
};
const ref = ($ref: unknown) => resolve(doc, { $ref });

test('references are followed within the document', () => {
  expect(ref('#/components/chain')).toEqual({ value: { type: 'string' }, ref: '#/components/end', name: 'end' });
  expect(ref('#/paths/~1a~1%7Bb%7D').value).toEqual({ get: 1 });
  expect(ref('#/components/list/1').value).toBe('y');
  expect(ref('#').value).toBe(doc);
});

test('circles end', () => {
  expect(ref('#/components/a').problem).toBe('circle');
  expect(ref('#/components/self').problem).toBe('circle');
});

test('nothing is fetched, and nothing is invented', () => {
  expect(ref('https://evil.example/x.json')).toMatchObject({ value: undefined, problem: 'elsewhere' });
  expect(ref('other.yaml#/x').problem).toBe('elsewhere');
  expect(ref('#/components/none').problem).toBe('missing');
  expect(ref('#/constructor').problem).toBe('missing');
  expect(ref('#/components/__proto__').problem).toBe('missing');
  expect(ref('#/%E0%A4%A').problem).toBe('missing');
  expect(ref(5).value).toEqual({ $ref: 5 });
});
