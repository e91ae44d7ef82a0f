import type { Entity, Facet } from '~/api/client';
import { ownerOf, specText, titleOf } from '~/entity/read';
import { formatRef, parseRef, type Ref, refOf } from '~/entity/ref';

/** How many parts of each kind something has. */
export type Counts = Record<string, number>;

export type System = { ref: Ref; key: string; title: string; description: string; owner: string; counts: Counts };
export type Domain = {
  /** Absent for the systems that are in no domain. */
  ref?: Ref;
  key: string;
  title: string;
  description: string;
  owner: string;
  /** The domain is named by systems, but does not exist. */
  missing: boolean;
  domains: Domain[];
  systems: System[];
};

/** The ref that spec.FIELD of an entity names; undefined if it names none. */
function named(entity: Entity, field: string, kind: string): string | undefined {
  const ref = parseRef(specText(entity, field), { kind, namespace: refOf(entity).namespace });
  return ref && formatRef(ref);
}

const byTitle = <T extends { title: string; key: string }>(a: T, b: T) =>
  a.title.localeCompare(b.title) || a.key.localeCompare(b.key);

/** Domains with their domains and systems; those that go round in a circle stand at the top. */
export function treeOf(domains: Entity[], systems: Entity[], counts: ReadonlyMap<string, Counts>): Domain[] {
  const all = new Map<string, Domain>();
  const above = new Map<string, string>();
  for (const entity of domains) {
    const ref = refOf(entity);
    const key = formatRef(ref);
    all.set(key, { ...wordsOf(entity), ref, key, missing: false, domains: [], systems: [] });
    const parent = named(entity, 'subdomainOf', 'domain');
    if (parent) above.set(key, parent);
  }
  const none: Domain = {
    key: '',
    title: 'Not in a domain',
    description: '',
    owner: '',
    missing: false,
    domains: [],
    systems: [],
  };
  for (const entity of systems) {
    const ref = refOf(entity);
    const key = formatRef(ref);
    const at = named(entity, 'domain', 'domain');
    let domain = at === undefined ? none : all.get(at);
    if (at !== undefined && !domain) {
      const missing = parseRef(at);
      domain = { ...none, ref: missing, key: at, title: missing?.name ?? at, missing: true, domains: [], systems: [] };
      all.set(at, domain);
    }
    domain?.systems.push({ ...wordsOf(entity), ref, key, counts: counts.get(key) ?? {} });
  }
  const top: Domain[] = [];
  for (const domain of all.values()) {
    domain.systems.sort(byTitle);
    const parent = all.get(above.get(domain.key) ?? '');
    if (parent && !leadsBack(domain.key, above)) parent.domains.push(domain);
    else top.push(domain);
  }
  for (const domain of all.values()) domain.domains.sort(byTitle);
  none.systems.sort(byTitle);
  return [...top.sort(byTitle), ...(none.systems.length > 0 ? [none] : [])];
}

function leadsBack(key: string, above: ReadonlyMap<string, string>): boolean {
  const seen = new Set<string>();
  for (let at = above.get(key); at !== undefined; at = above.get(at)) {
    if (at === key) return true;
    if (seen.has(at)) return false;
    seen.add(at);
  }
  return false;
}

function wordsOf(entity: Entity): { title: string; description: string; owner: string } {
  return {
    title: titleOf(entity) || refOf(entity).name,
    description: entity.metadata?.description ?? '',
    owner: ownerOf(entity)?.ref ?? '',
  };
}

/** Counts by system, of a facet over relations.partOf for each kind. */
export function countsOf(facets: { kind: string; facet: Facet | undefined }[]): Map<string, Counts> {
  const out = new Map<string, Counts>();
  for (const { kind, facet } of facets)
    for (const { value = '', count = 0 } of facet?.values ?? []) {
      if (!value.startsWith('system:')) continue;
      const counts = out.get(value) ?? {};
      counts[kind] = count;
      out.set(value, counts);
    }
  return out;
}

/** The part of the map whose words have all of q; a domain that has them keeps all that is in it. */
export function searchTree(domains: Domain[], q: string): Domain[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return domains;
  const has = (x: { title: string; key: string; owner: string }, context = '') => {
    const all = `${context} ${x.title} ${x.key} ${x.owner}`.toLowerCase();
    return words.every((w) => all.includes(w));
  };
  const keep = (d: Domain): Domain[] => {
    if (has(d)) return [d];
    const systems = d.systems.filter((s) => has(s));
    const inner = d.domains.flatMap(keep);
    return systems.length + inner.length > 0 ? [{ ...d, systems, domains: inner }] : [];
  };
  return domains.flatMap(keep);
}

export function countSystems(domains: Domain[]): number {
  return domains.reduce((n, d) => n + d.systems.length + countSystems(d.domains), 0);
}
