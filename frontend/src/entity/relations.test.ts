import { expect, test } from 'vitest';
import { byType, relationWords } from './relations';

test('relations are headed in words, unknown ones too', () => {
  expect(relationWords('dependencyOf')).toBe('Depended on by');
  expect(relationWords('deployedBy')).toBe('Deployed by');
  expect(relationWords('constructor')).toBe('Constructor');
});

test('relations are grouped by type, known types first', () => {
  const groups = byType([
    { type: 'xray', targetRef: '1' },
    { type: 'dependsOn', targetRef: '2' },
    { type: 'partOf', targetRef: '3' },
    { type: 'dependsOn', targetRef: '4' },
  ]);
  expect(groups.map(([type, all]) => [type, all.map((r) => r.targetRef)])).toEqual([
    ['partOf', ['3']],
    ['dependsOn', ['2', '4']],
    ['xray', ['1']],
  ]);
});
