import { expect, test } from 'vitest';
import { levelHeadings } from './headings';

test('headings begin where the page wants them and skip no level', () => {
  const h = (n: number) => ({ type: 'element', tagName: `h${n}`, properties: { id: 'x' } as Record<string, unknown> });
  const tree = { type: 'root', children: [h(2), h(6), h(3), h(2), { type: 'element', children: [h(4)] }] };
  levelHeadings(3)(tree);
  const names = tree.children.flatMap((n) => ('tagName' in n ? [n.tagName] : n.children.map((c) => c.tagName)));
  expect(names).toEqual(['h3', 'h4', 'h4', 'h3', 'h4']);
  expect(tree.children[0]).toHaveProperty('properties', {});
});
