import { describe, expect, it } from 'vitest';
import { absent, fieldExpression, none, oneOf, quote, splitPath } from './write';

describe('quote', () => {
  it('keeps a value a value', () => {
    expect(quote('a"b')).toBe('"a\\"b"');
    expect(quote('" || true || "')).toBe('"\\" || true || \\""');
    expect(quote('a\\')).toBe('"a\\\\"');
    expect(quote('line\nline\u0000')).toBe('"line\\nline\\u0000"');
    expect(quote('Zürich 🚀')).toBe('"Zürich 🚀"');
  });
  it('has no halves of pairs', () => {
    expect(quote('\ud83d')).toBe('"\ufffd"');
    expect(quote('a\ude80b')).toBe('"a\ufffdb"');
  });
});

describe('paths', () => {
  it('are split as the server does', () => {
    expect(splitPath('spec.type')).toEqual(['spec', 'type']);
    expect(splitPath('metadata.labels["example.com/tier"]')).toEqual(['metadata', 'labels', 'example.com/tier']);
    expect(splitPath('facts["a.b"].c')).toEqual(['facts', 'a.b', 'c']);
    expect(splitPath('spec.type == "x" || true')).toBeUndefined();
    expect(splitPath('')).toBeUndefined();
  });
  it('become expressions', () => {
    expect(fieldExpression('kind')).toBe('entity.kind');
    expect(fieldExpression('metadata.labels["a/b"]')).toBe('entity.metadata.labels["a/b"]');
    expect(fieldExpression('facts["ownership.status"]')).toBe('facts["ownership.status"]');
    expect(fieldExpression('metadata.namespace')).toBe('entity.metadata["namespace"]');
    expect(fieldExpression('spec.has-dash')).toBe('entity.spec["has-dash"]');
  });
  it('can be absent', () => {
    expect(absent('spec.type')).toBe('!has(entity.spec.type)');
    expect(absent('relations.partOf')).toBe('!has(relations.partOf)');
    expect(absent('facts["ownership.owner"]')).toBe('!("ownership.owner" in facts)');
    expect(absent('metadata.labels["a/b"]')).toBe('!("a/b" in entity.metadata.labels)');
    expect(absent('kind')).toBeUndefined();
  });
});

describe('oneOf', () => {
  it('compares one, several and the absent', () => {
    expect(oneOf('spec.type', ['service'])).toBe('entity.spec.type == "service"');
    expect(oneOf('spec.type', ['service', 'job'])).toBe('entity.spec.type in ["service", "job"]');
    expect(oneOf('spec.type', [none, 'job'])).toBe('(!has(entity.spec.type) || entity.spec.type == "job")');
  });
  it('looks into lists and relations', () => {
    expect(oneOf('metadata.tags', ['go', 'java'], 'list')).toBe(
      '("go" in entity.metadata.tags || "java" in entity.metadata.tags)',
    );
    expect(oneOf('relations.ownedBy', ['group:default/a'])).toBe('"group:default/a" in relations.ownedBy');
  });
  it('leaves numbers and truth values unquoted only where the field holds them', () => {
    expect(oneOf('facts["a.b"]', ['true'], 'literal')).toBe('facts["a.b"] == true');
    expect(oneOf('facts["a.b"]', ['true || x'], 'literal')).toBe('facts["a.b"] == "true || x"');
    expect(oneOf('spec.type', ['true'])).toBe('entity.spec.type == "true"');
  });
  it('refuses what is no path', () => {
    expect(oneOf('spec.type == "a" || true', ['x'])).toBeUndefined();
  });
});
