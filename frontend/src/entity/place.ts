import type { Problem } from '~/api/client';

/** Where a problem is: as one says it, and, where that is known, the address of the line. */
export function placeOf(p: Pick<Problem, 'source' | 'repository' | 'path' | 'line'>): { text: string; href?: string } {
  if (!p.repository && !p.path) return { text: p.source ?? '' };
  const file = p.path ? `${p.path}${p.line ? `:${p.line}` : ''}` : '';
  const text = [p.repository, file].filter(Boolean).join('/');
  // Only of GitHub itself is it known how a file's page is called.
  if (!p.source?.startsWith('github:') || !/^[\w.-]+\/[\w.-]+$/.test(p.repository ?? '')) return { text };
  const page = `https://github.com/${p.repository}`;
  if (!p.path) return { text, href: page };
  const path = p.path.split('/').map(encodeURIComponent).join('/');
  return { text, href: `${page}/blob/HEAD/${path}${p.line ? `#L${p.line}` : ''}` };
}
