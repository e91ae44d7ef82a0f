import { expect, test } from 'vitest';
import type { Entity } from '~/api/client';
import { declaration } from './declaration';

test('what was inferred can be declared as it is', () => {
  const entity = {
    kind: 'Component',
    metadata: { name: 'units', namespace: 'default', description: 'Metres: and feet' },
    spec: { type: 'library', lifecycle: ['no text'] },
  } as unknown as Entity;
  expect(declaration(entity).split('\n')).toEqual([
    'apiVersion: backstage.io/v1alpha1',
    'kind: Component',
    'metadata:',
    '  name: units',
    '  description: "Metres: and feet"',
    'spec:',
    '  type: library',
    '  lifecycle: production',
    '  owner: your-team',
  ]);
});
