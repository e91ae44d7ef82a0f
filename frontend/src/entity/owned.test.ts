import { expect, test } from 'vitest';
import type { Owned, Problem } from '~/api/client';
import { healthByKind, healthWords, ownedRows, worstFirst } from './owned';

const owned = (entityRef: string, status = 'owned'): Owned => ({ entityRef, ownerRef: 'group:default/a', status });
const error = (entityRef: string): Problem => ({ entityRef, severity: 'SEVERITY_ERROR' });
const warning = (entityRef: string): Problem => ({ entityRef, severity: 'SEVERITY_WARNING' });

const rows = ownedRows(
  [
    owned('system:default/s'),
    owned('api:default/z'),
    owned('component:default/fine-10'),
    owned('component:default/fine-9'),
    owned('component:default/odd', 'dangling'),
    owned('component:default/bad'),
    owned('component:default/worse'),
    owned('not a ref'),
  ],
  [
    error('component:default/bad'),
    error('component:default/worse'),
    error('component:default/worse'),
    warning('component:default/worse'),
    warning('api:default/z'),
    error('component:default/of-others'),
    { severity: 'SEVERITY_ERROR' },
  ],
);

test('those with problems come first, then by kind and name', () => {
  expect(rows.map((r) => r.name)).toEqual(['worse', 'bad', 'z', 'odd', 'fine-9', 'fine-10', 's']);
});

test('health is said in words', () => {
  expect(rows.map((r) => [r.health, healthWords(r)])).toEqual([
    ['bad', '2 errors, 1 warning'],
    ['bad', '1 error'],
    ['warn', '1 warning'],
    ['warn', 'Named owner does not exist'],
    ['good', 'Healthy'],
    ['good', 'Healthy'],
    ['good', 'Healthy'],
  ]);
  expect(healthWords({ ...(rows[3] ?? rows[0] ?? ({} as never)), ownership: 'new-word' })).toBe('Ownership: new-word');
});

test('kinds sum up', () => {
  expect(healthByKind(rows)).toEqual([
    { kind: 'component', total: 5, bad: 2, warn: 1 },
    { kind: 'api', total: 1, bad: 0, warn: 1 },
    { kind: 'system', total: 1, bad: 0, warn: 0 },
  ]);
  expect(healthByKind([])).toEqual([]);
});

test('errors before warnings, old before new', () => {
  const problems: Problem[] = [
    { code: 'w', severity: 'SEVERITY_WARNING', openTime: '2026-01-01' },
    { code: 'new', severity: 'SEVERITY_ERROR', openTime: '2026-03-01' },
    { code: 'old', severity: 'SEVERITY_ERROR', openTime: '2026-02-01' },
  ];
  expect(worstFirst(problems).map((p) => p.code)).toEqual(['old', 'new', 'w']);
});
