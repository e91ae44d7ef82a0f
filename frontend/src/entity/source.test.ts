import { expect, test } from 'vitest';
import type { Entity } from '~/api/client';
import { commitUrl, fileUrl, repositoryUrl } from './source';

const at = (view: string): Entity =>
  ({
    origin: { repository: 'Acme/Web' },
    metadata: { annotations: { 'backstage.io/view-url': view } },
  }) as unknown as Entity;

test('repositories and commits are found on both forges', () => {
  const hub = at('https://github.com/acme/web/blob/main/catalog-info.yaml');
  expect(repositoryUrl(hub)).toBe('https://github.com/acme/web');
  expect(commitUrl(hub, '49d58359fff0')).toBe('https://github.com/acme/web/commit/49d58359fff0');
  const lab = at('https://git.example/acme/web/-/blob/main/catalog-info.yaml');
  expect(commitUrl(lab, '49d58359fff0')).toBe('https://git.example/acme/web/-/commit/49d58359fff0');
});

test('an address that is not of the repository leads nowhere', () => {
  expect(repositoryUrl(at('https://github.com/other/web/blob/main/x'))).toBeUndefined();
  expect(commitUrl(at('https://github.com/acme/web/blob/main/x'), '../../evil')).toBeUndefined();
});

test('other files of the repository are found beside the one that declares', () => {
  const entity = at('https://github.com/acme/web/blob/main/a/catalog-info.yaml');
  const own = { ...entity, origin: { ...entity.origin, path: 'a/catalog-info.yaml' } } as Entity;
  expect(fileUrl(own, '.github/CODEOWNERS', 3)).toBe('https://github.com/acme/web/blob/main/.github/CODEOWNERS#L3');
  expect(fileUrl(own, 'a b?c')).toBe('https://github.com/acme/web/blob/main/a%20b%3Fc');
  expect(fileUrl(entity, 'x')).toBeUndefined();
});
