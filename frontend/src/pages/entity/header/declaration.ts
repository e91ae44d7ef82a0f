import type { Entity } from '~/api/client';
import { specText } from '~/entity/read';

const word = (text: string) => (/^[A-Za-z0-9][A-Za-z0-9._/-]*$/.test(text) ? text : JSON.stringify(text));

/** The catalog file that would declare what was inferred. */
export function declaration(entity: Entity): string {
  const lines = [
    'apiVersion: backstage.io/v1alpha1',
    `kind: ${word(entity.kind || 'Component')}`,
    'metadata:',
    `  name: ${word(entity.metadata?.name ?? '')}`,
  ];
  if (entity.metadata?.namespace && entity.metadata.namespace !== 'default')
    lines.push(`  namespace: ${word(entity.metadata.namespace)}`);
  if (entity.metadata?.description) lines.push(`  description: ${word(entity.metadata.description)}`);
  lines.push('spec:', `  type: ${word(specText(entity, 'type') || 'service')}`);
  if (['component', 'api'].includes((entity.kind ?? '').toLowerCase()))
    lines.push(`  lifecycle: ${word(specText(entity, 'lifecycle') || 'production')}`);
  lines.push(`  owner: ${word(specText(entity, 'owner') || 'your-team')}`);
  return lines.join('\n');
}
