import { describe, expect, it } from 'vitest';
import { none } from '~/cel/write';
import { byteLength } from '~/parts/bytes';
import { cleared, compose, explicit, kindShown, spellings, toggled } from './selection';

describe('kindShown', () => {
  it('is component unless something else is asked for', () => {
    expect(kindShown({})).toBe('component');
    expect(kindShown({ kind: 'api' })).toBe('api');
    expect(kindShown({ kind: 'all' })).toBe('');
    expect(kindShown({ facets: { 'metadata.tags': ['go'] } })).toBe('');
    expect(kindShown({ q: 'x' })).toBe('');
    expect(kindShown({ sort: 'metadata.name' })).toBe('component');
  });
  it('does not change by a first choice', () => {
    expect(kindShown(toggled({}, 'spec.type', 'service'))).toBe('component');
    expect(explicit({ kind: 'all' }).kind).toBe('all');
  });
});

describe('spellings', () => {
  it('are those of the catalog, or the usual', () => {
    expect(spellings('component', ['Component', 'component', 'API'])).toEqual(['Component', 'component']);
    expect(spellings('api', [])).toEqual(['API']);
    expect(spellings('widget', [])).toEqual(['Widget']);
  });
});

describe('compose', () => {
  it('joins kind, facets and own filter', () => {
    const out = compose(
      {
        kind: 'component',
        facets: { 'spec.type': ['service', 'job'], 'metadata.tags': ['go'] },
        filter: 'has(entity.spec.x)',
      },
      { shapeOf: (f) => (f === 'metadata.tags' ? 'list' : 'text') },
    );
    expect(out.filter).toBe(
      'entity.kind == "Component" && entity.spec.type in ["service", "job"] && "go" in entity.metadata.tags && (has(entity.spec.x)\n)',
    );
    expect(out.filter.slice(out.ownStart)).toBe('has(entity.spec.x)\n)');
  });
  it('says where the own filter begins in bytes', () => {
    const out = compose({ kind: 'all', facets: { 'spec.type': ['Zürich🚀'] }, filter: 'x' });
    const before = out.filter.slice(0, out.filter.lastIndexOf('x'));
    expect(out.ownStart).toBe(byteLength(before));
    expect(compose({ kind: 'all', filter: ' x ' })).toEqual({ filter: '(x\n)', ownStart: 1 });
    expect(compose({ kind: 'all' })).toEqual({ filter: '', ownStart: -1 });
  });
  it('leaves out what is to be counted', () => {
    const search = { kind: 'api', facets: { 'spec.type': ['grpc'], 'spec.lifecycle': [none] } };
    expect(compose(search, { except: 'kind' }).filter).toBe(
      'entity.spec.type == "grpc" && !has(entity.spec.lifecycle)',
    );
    expect(compose(search, { except: 'spec.type' }).filter).toBe('entity.kind == "API" && !has(entity.spec.lifecycle)');
  });
  it('drops fields that are no paths', () => {
    expect(compose({ kind: 'all', facets: { 'x) || (true': ['a'] } }).filter).toBe('');
  });
});

describe('choices', () => {
  it('come and go', () => {
    const one = toggled({ kind: 'api' }, 'spec.type', 'grpc');
    const two = toggled(one, 'spec.type', 'openapi');
    expect(two.facets).toEqual({ 'spec.type': ['grpc', 'openapi'] });
    expect(toggled(toggled(two, 'spec.type', 'grpc'), 'spec.type', 'openapi').facets).toBeUndefined();
    expect(cleared({ ...two, q: 'a', filter: 'b', sort: 'kind' })).toEqual({
      kind: 'api',
      q: undefined,
      filter: undefined,
      facets: undefined,
      sort: 'kind',
    });
  });
});
