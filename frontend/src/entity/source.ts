import type { Entity } from '~/api/client';

/** Address of the repository that declares an entity, if the forge's addresses tell it. */
export function repositoryUrl(entity: Entity): string | undefined {
  const view = entity.metadata?.annotations?.['backstage.io/view-url'];
  const repository = entity.origin?.repository;
  if (!view || !repository) return undefined;
  const at = view.toLowerCase().indexOf(`/${repository.toLowerCase()}/`);
  return at < 0 ? undefined : view.slice(0, at + repository.length + 1);
}

/** Address of a commit in that repository. */
export function commitUrl(entity: Entity | undefined, commit: string | undefined): string | undefined {
  const repository = entity && repositoryUrl(entity);
  if (!repository || !commit || !/^[0-9a-f]{7,64}$/i.test(commit)) return undefined;
  const view = entity.metadata?.annotations?.['backstage.io/view-url'] ?? '';
  return `${repository}${view.includes('/-/') ? '/-' : ''}/commit/${commit}`;
}

/** A commit as one says it. */
export const shortCommit = (commit: string | undefined): string => (commit ?? '').slice(0, 7);

/** Address of a file in that repository, on the branch that is read. */
export function fileUrl(entity: Entity | undefined, path: string | undefined, line?: number): string | undefined {
  const view = entity?.metadata?.annotations?.['backstage.io/view-url'];
  const own = entity?.origin?.path;
  if (!view || !own || !path || !view.endsWith(`/${own}`)) return undefined;
  const file = path.split('/').map(encodeURIComponent).join('/');
  return view.slice(0, -own.length) + file + (line && line > 0 ? `#L${line}` : '');
}
