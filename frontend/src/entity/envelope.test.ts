import { expect, test } from 'vitest';
import type { Entity } from '~/api/client';
import { envelope } from './envelope';

test('an envelope is in the order of Backstage and without what is empty', () => {
  const entity = {
    name: 'entities/component:default/web',
    kind: 'Component',
    spec: { type: 'service', off: false, none: null },
    apiVersion: 'backstage.io/v1alpha1',
    metadata: {
      tags: [],
      name: 'web',
      title: '',
      extra: { custom: 0 },
      links: [{ url: 'https://x.example', icon: '' }],
    },
    relations: [{ type: 'ownedBy', targetRef: 'group:default/a', targetExists: true }],
  } as unknown as Entity;
  const got = envelope(entity);
  expect(Object.keys(got)).toEqual(['apiVersion', 'kind', 'metadata', 'spec', 'relations']);
  expect(got.metadata).toEqual({ name: 'web', links: [{ url: 'https://x.example' }], custom: 0 });
  expect(got.spec).toEqual({ type: 'service', off: false, none: null });
  expect(got.relations).toEqual([{ type: 'ownedBy', targetRef: 'group:default/a' }]);
});
