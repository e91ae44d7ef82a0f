import { describe, expect, it } from 'vitest';
import { countingPlan, facetFields, withChosen } from './facets';

const titles = (f: { title: string }[]) => f.map((x) => x.title);

describe('facetFields', () => {
  it('are the usual ones without plugins', () => {
    expect(titles(facetFields([], 'component'))).toEqual([
      'Type',
      'Lifecycle',
      'Owner',
      'System',
      'Has problems',
      'Tags',
      'Source',
    ]);
  });
  it('take in what plugins declare filterable, and no more', () => {
    const fields = facetFields(
      [
        { key: 'ownership.owner', title: 'Owner', filterable: true },
        { key: 'a.hidden', title: 'Hidden' },
        { key: 'a.paged', title: 'Paged', filterable: true, schema: JSON.parse('{"type":"boolean"}') },
      ],
      'component',
    );
    expect(titles(fields)).toEqual(['Type', 'Lifecycle', 'Owner', 'System', 'Has problems', 'Tags', 'Paged', 'Source']);
    expect(fields[2]?.field).toBe('facts["ownership.owner"]');
    expect(fields[6]).toMatchObject({ field: 'facts["a.paged"]', shape: 'literal' });
  });
});

describe('withChosen', () => {
  it('shows what an address chose by other fields, unless they are none', () => {
    const fields = withChosen([], ['metadata.labels["example.com/tier"]', 'relations.ownedBy', 'x) || (true']);
    expect(fields).toMatchObject([
      { title: 'Example.com/tier', shape: 'text' },
      { title: 'Declared owner', shape: 'list' },
    ]);
  });
});

describe('countingPlan', () => {
  it('counts each chosen facet without its own choice', () => {
    const fields = facetFields([], 'component');
    expect(countingPlan(fields, ['spec.type'])).toEqual([
      {
        fields: [
          'spec.lifecycle',
          'relations.ownedBy',
          'relations.partOf',
          'status.level',
          'metadata.tags',
          'origin.source',
        ],
      },
      { fields: ['spec.type'], except: 'spec.type' },
    ]);
    expect(countingPlan([], [])).toEqual([]);
  });
});
