/** A reference to an entity. Compared without regard to case; this form is always in lower case. */
export type Ref = { kind: string; namespace: string; name: string };

/** Reads kind:namespace/name, or the parts of it that are there, as Backstage does. */
export function parseRef(text: string, defaults: { kind?: string; namespace?: string } = {}): Ref | undefined {
  const m = /^(?:([^:/]+):)?(?:([^:/]+)\/)?([^:/]+)$/.exec(text.trim());
  if (!m?.[3]) return undefined;
  const kind = m[1] ?? defaults.kind;
  if (!kind) return undefined;
  return {
    kind: kind.toLowerCase(),
    namespace: (m[2] ?? defaults.namespace ?? 'default').toLowerCase(),
    name: m[3].toLowerCase(),
  };
}

/** kind:namespace/name */
export function formatRef(ref: Ref): string {
  return `${ref.kind}:${ref.namespace}/${ref.name}`;
}

/** What is enough for a person: the namespace only where it is not the default one, the kind only if asked for. */
export function shortRef(ref: Ref, withKind = false): string {
  const name = ref.namespace === 'default' ? ref.name : `${ref.namespace}/${ref.name}`;
  return withKind ? `${ref.kind}:${name}` : name;
}

/** The ref of an entity as the API gives it; its resource name is entities/kind:namespace/name. */
export function refOf(entity: { name?: string }): Ref {
  const ref = parseRef((entity.name ?? '').replace(/^entities\//, ''));
  return ref ?? { kind: 'unknown', namespace: 'default', name: entity.name || 'unknown' };
}

/** The ref in an entity's address, which people also type by hand. */
export function refOfParams(params: { kind?: string; namespace?: string; name?: string }): Ref {
  return {
    kind: (params.kind ?? '').toLowerCase(),
    namespace: (params.namespace ?? 'default').toLowerCase(),
    name: (params.name ?? '').toLowerCase(),
  };
}

/** Resource name for the API. */
export function resourceName(ref: Ref): string {
  return `entities/${formatRef(ref)}`;
}

export function sameRef(a: Ref, b: Ref): boolean {
  return formatRef(a) === formatRef(b);
}
