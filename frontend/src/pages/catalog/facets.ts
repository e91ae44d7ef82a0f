import type { FactType } from '~/api/client';
import { type Shape, splitPath } from '~/cel/write';
import { statusWords } from '~/entity/ownership';

/** A field that one can narrow by. */
export type FacetField = {
  field: string;
  title: string;
  shape: Shape;
  /** Its values are refs of entities. */
  refs?: boolean;
  /** Only refs of this kind are values. */
  of?: string;
  /** Words for values that speak a machine's language. */
  words?: Record<string, string>;
  /** What a value of none is called. */
  noneWords?: string;
  /** Folded until one asks for it: a folded facet without a choice is not counted. */
  folded?: boolean;
};

const owned: FacetField = {
  field: 'relations.ownedBy',
  title: 'Owner',
  shape: 'list',
  refs: true,
  noneWords: 'No owner',
};
const effective: FacetField = {
  ...owned,
  field: 'facts["ownership.owner"]',
  shape: 'text',
};

export const problemsField = 'status.level';
export const sourceField = 'origin.source';

/**
 * The facets, those that serve most first. Which facts are filterable, plugins
 * declare. The owner is the effective one where a plugin says it, as in the
 * column of that name.
 */
export function facetFields(facts: FactType[], kind: string): FacetField[] {
  const filterable = facts.filter((f) => f.filterable && f.key);
  const fields: FacetField[] = [
    { field: 'spec.type', title: 'Type', shape: 'text', noneWords: 'No type' },
    { field: 'spec.lifecycle', title: 'Lifecycle', shape: 'text', noneWords: 'No lifecycle' },
    filterable.some((f) => f.key === 'ownership.owner') ? effective : owned,
    {
      field: 'relations.partOf',
      title: kind === 'system' ? 'Domain' : kind === '' || kind === 'domain' ? 'Part of' : 'System',
      shape: 'list',
      refs: true,
      of: kind === 'system' ? 'domain' : kind === '' || kind === 'domain' ? undefined : 'system',
      noneWords: kind === 'system' ? 'No domain' : 'No system',
    },
    {
      field: problemsField,
      title: 'Has problems',
      shape: 'text',
      words: { error: 'Errors', warning: 'Warnings' },
      noneWords: 'No problems',
    },
    { field: 'metadata.tags', title: 'Tags', shape: 'list', noneWords: 'No tags' },
  ];
  for (const fact of filterable)
    if (fact.key !== 'ownership.owner') fields.push({ ...ofFact(fact), folded: fact.key !== 'ownership.status' });
  fields.push({ field: sourceField, title: 'Source', shape: 'text', noneWords: 'No source', folded: true });
  return fields;
}

/** Those of an address that are not among the known, so that a link from elsewhere shows what it chose. */
export function withChosen(fields: FacetField[], chosen: string[]): FacetField[] {
  const others = chosen.filter((c) => splitPath(c) && !fields.some((f) => f.field === c));
  return [...fields, ...others.map(unknownField)];
}

function unknownField(field: string): FacetField {
  if (field === owned.field) return { ...owned, title: 'Declared owner' };
  const parts = splitPath(field) ?? [field];
  const title = parts[0] === 'metadata' && parts[1] === 'labels' ? (parts[2] ?? field) : (parts.at(-1) ?? field);
  return {
    field,
    title: title.charAt(0).toUpperCase() + title.slice(1),
    shape: parts[0] === 'relations' ? 'list' : 'text',
    refs: parts[0] === 'relations',
  };
}

export function factPath(key: string): string {
  return `facts[${JSON.stringify(key)}]`;
}

const statuses = Object.fromEntries(
  ['owned', 'dangling', 'disbanded', 'single-person', 'split', 'unowned'].map((s) => [s, statusWords(s).words]),
);

function ofFact(fact: FactType): FacetField {
  const key = fact.key ?? '';
  const type = (fact.schema as { type?: unknown } | undefined)?.type;
  const shape: Shape =
    type === 'array' ? 'list' : type === 'boolean' || type === 'number' || type === 'integer' ? 'literal' : 'text';
  return {
    field: factPath(key),
    title: fact.title || key,
    shape,
    refs: fact.display === 'ref',
    words: key === 'ownership.status' ? statuses : type === 'boolean' ? { true: 'Yes', false: 'No' } : undefined,
    noneWords: 'Not known',
  };
}

/**
 * The requests that count facets: one for all without a choice, and one for each
 * with one, which its own choice does not narrow.
 */
export function countingPlan(fields: FacetField[], chosen: string[]): { fields: string[]; except?: string }[] {
  const free = fields.filter((f) => !chosen.includes(f.field)).map((f) => f.field);
  const plan: { fields: string[]; except?: string }[] = [];
  for (let i = 0; i < free.length; i += 20) plan.push({ fields: free.slice(i, i + 20) }); // the API's most
  for (const f of fields) if (chosen.includes(f.field)) plan.push({ fields: [f.field], except: f.field });
  return plan;
}
