import { expect, test } from 'vitest';
import { defaultRelations, inverseOf, leadsRight, relationSays, typesToFollow } from './relations';

test('types are followed as seen from where one stands', () => {
  expect(typesToFollow(['dependsOn', 'partOf'], 'out')).toEqual(['dependsOn', 'partOf']);
  expect(typesToFollow(['dependsOn', 'partOf'], 'in')).toEqual(['dependencyOf', 'hasPart']);
  expect(typesToFollow(['dependsOn'], 'both')).toEqual(['dependsOn', 'dependencyOf']);
});

test('impact goes through APIs to those who consume them', () => {
  expect(typesToFollow(defaultRelations('component'), 'impact')).toEqual([
    'dependencyOf',
    'apiConsumedBy',
    'providesApi',
  ]);
});

test('an inverse has the inverse as its own, and stands on the other side', () => {
  for (const type of ['dependsOn', 'consumesApi', 'providesApi', 'partOf', 'ownedBy', 'memberOf', 'childOf']) {
    expect(inverseOf(inverseOf(type))).toBe(type);
    expect(inverseOf(type)).not.toBe(type);
    expect(leadsRight(inverseOf(type))).toBe(!leadsRight(type));
  }
});

test('unknown relations are said in their own words', () => {
  expect(relationSays('dependsOn')).toBe('depends on');
  expect(relationSays('apiProvidedBy')).toBe('is provided by');
  expect(relationSays('deployedTo')).toBe('deployed to');
  expect(inverseOf('deployedTo')).toBe('deployedTo');
});
