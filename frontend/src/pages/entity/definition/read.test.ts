import { describe, expect, test } from 'vitest';
import { isReadable, languageOf, sourceOf } from './language';
import { parseDefinition } from './parse';
import { readApi, searchOperations } from './read';
import { describeSchema } from './schema';

const petshop = {
  openapi: '3.1.0',
  info: { title: 'Pets', version: 2 },
  servers: [{ url: 'https://pets.example' }, 'odd'],
  tags: [{ name: 'pets', description: 'All pets' }],
  paths: {
    '/pets/{id}': {
      parameters: [{ name: 'id', in: 'path', schema: { type: 'string' } }],
      get: {
        tags: ['pets'],
        summary: 'One pet',
        deprecated: true,
        parameters: [{ $ref: '#/components/parameters/Page' }, null, { $ref: '#/nowhere' }],
        responses: { 200: { description: 'It', content: { 'application/json': { schema: { type: 'object' } } } } },
      },
      post: 'not an operation',
    },
    '/odd': null,
  },
  components: { parameters: { Page: { name: 'page', in: 'query', schema: { type: 'integer', minimum: 1 } } } },
};

describe('OpenAPI', () => {
  test('3 is read', () => {
    const api = readApi(petshop);
    expect(api).toMatchObject({ format: 'OpenAPI 3.1.0', title: 'Pets', version: '2' });
    expect(api?.servers).toEqual([{ url: 'https://pets.example', description: '' }]);
    const [group] = api?.groups ?? [];
    expect(group).toMatchObject({ name: 'pets', description: 'All pets' });
    const [get] = group?.operations ?? [];
    expect(get).toMatchObject({ method: 'GET', path: '/pets/{id}', deprecated: true });
    expect(get?.parameters.map((p) => [p.name, p.place, p.required])).toEqual([
      ['id', 'path', true],
      ['page', 'query', false],
      ['unnamed', '', false],
      ['nowhere', '', false],
    ]);
    expect(get?.bodies.map((b) => b.title)).toEqual(['Response 200']);
  });

  test('2 is read', () => {
    const api = readApi({
      swagger: '2.0',
      host: 'pets.example',
      basePath: '/v1',
      consumes: ['application/json'],
      paths: {
        '/pets': {
          post: {
            parameters: [
              { in: 'body', name: 'pet', schema: { $ref: '#/definitions/Pet' } },
              { in: 'query', name: 'n', type: 'integer', maximum: 9 },
            ],
            responses: { 201: { description: 'Made', schema: { $ref: '#/definitions/Pet' } } },
          },
        },
      },
      definitions: { Pet: { type: 'object' } },
    });
    expect(api?.servers[0]?.url).toBe('https://pets.example/v1');
    const [post] = api?.groups[0]?.operations ?? [];
    expect(post?.bodies.map((b) => [b.title, b.contents[0]?.media])).toEqual([
      ['Request body', 'application/json'],
      ['Response 201', ''],
    ]);
    expect(describeSchema({}, post?.parameters[0]?.schema).limits).toEqual(['at most 9']);
    expect(api?.schemas.map((s) => s.name)).toEqual(['Pet']);
  });

  test.each([null, 7, 'text', [], {}, { info: {} }])('%j is no API', (doc) => {
    expect(readApi(doc)).toBeUndefined();
  });

  test.each([
    { openapi: { not: 'a text' }, paths: [], tags: 'x', servers: 'x', components: 3, info: 'x' },
    { openapi: '3.0.0', paths: { '/x': { get: { parameters: 'x', responses: [null], requestBody: 1, tags: {} } } } },
    { asyncapi: '2.0.0', channels: { a: { publish: { message: { oneOf: [null, 1] } }, subscribe: 5 }, b: null } },
    { asyncapi: '3.0.0', operations: { a: { action: 7, channel: { $ref: 'x' }, messages: [null] }, b: [] } },
    { swagger: 2, host: 5, definitions: { a: null } },
  ])('odd documents are read as far as they go', (doc) => {
    const api = readApi(doc);
    expect(api).toBeDefined();
    for (const g of api?.groups ?? [])
      for (const o of g.operations) for (const b of o.bodies) for (const c of b.contents) describeSchema(doc, c.schema);
  });
});

test('AsyncAPI 3: operations with their channel and messages', () => {
  const api = readApi({
    asyncapi: '3.0.0',
    channels: { orders: { address: 'shop.orders', messages: { made: { payload: { type: 'object' } } } } },
    operations: { onOrder: { action: 'receive', channel: { $ref: '#/channels/orders' } } },
  });
  expect(api?.groups[0]?.operations[0]).toMatchObject({ method: 'RECEIVE', path: 'shop.orders', summary: 'onOrder' });
  expect(api?.groups[0]?.operations[0]?.bodies).toHaveLength(1);
});

test('operations are found by all words', () => {
  const groups = readApi(petshop)?.groups ?? [];
  expect(searchOperations(groups, 'get PET')).toHaveLength(1);
  expect(searchOperations(groups, 'get cat')).toEqual([]);
  expect(searchOperations(groups, '')).toBe(groups);
});

describe('schemas', () => {
  const doc = {
    s: {
      Node: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string', format: 'uuid' }, next: { $ref: '#/s/Node' } },
      },
    },
  };
  test('one that has itself in it is described level by level', () => {
    const node = describeSchema(doc, { $ref: '#/s/Node' });
    expect(node).toMatchObject({ type: 'Node (object)', ref: '#/s/Node' });
    expect(node.children.map((c) => [c.name, c.required])).toEqual([
      ['id', true],
      ['next', false],
    ]);
    expect(describeSchema(doc, node.children[1]?.schema).ref).toBe('#/s/Node');
    expect(describeSchema(doc, node.children[0]?.schema).type).toBe('string (uuid)');
  });
  test('arrays, choices, limits', () => {
    expect(describeSchema(doc, { type: 'array', items: { $ref: '#/s/Node' } }).type).toBe('array of Node');
    expect(
      describeSchema(doc, { oneOf: [{ $ref: '#/s/Node' }, { type: 'null' }] }).children.map((c) => c.name),
    ).toEqual(['either Node', 'either 2']);
    expect(describeSchema(doc, { type: ['string', 'null'], enum: ['a', 1, null], maxLength: 3 })).toMatchObject({
      type: 'string or null',
      values: ['a', '1', 'null'],
      limits: ['at most 3 characters'],
    });
  });
  test('what is elsewhere is named, not fetched', () => {
    expect(describeSchema(doc, { $ref: 'https://x.example/s.json' })).toMatchObject({
      type: 'https://x.example/s.json',
      limits: ['in another document'],
    });
  });
  test.each([undefined, null, true, 5, 'x', []])('%j is described', (schema) => {
    expect(describeSchema(doc, schema).children).toEqual([]);
  });
});

describe('texts', () => {
  test('JSON and YAML are read', () => {
    expect(parseDefinition('{"a": 1}')).toEqual({ doc: { a: 1 } });
    expect(parseDefinition('a: 1\nb: [x]')).toEqual({ doc: { a: 1, b: ['x'] } });
  });
  test('a fault is told with its line', () => {
    expect(parseDefinition('a: 1\nb: [x\nc: 2\n')).toMatchObject({
      line: expect.any(Number),
      problem: expect.any(String),
    });
    const fault = parseDefinition('a: 1\nb:\n\t- x\n');
    expect('line' in fault && fault.line).toBe(3);
  });
  test('a bomb of aliases does not go off', () => {
    const rows = ['a0: &a0 [x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 12; i++)
      rows.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(',')}]`,
      );
    expect(parseDefinition(rows.join('\n'))).toHaveProperty('problem');
  });
  test('how the source is shown', () => {
    expect(languageOf('grpc', 'syntax = "proto3";')).toBe('protobuf');
    expect(languageOf('openapi', '{"openapi": "3.1.0"}')).toBe('json');
    expect(languageOf('other', 'plain words')).toBe('text');
    expect(isReadable('other', 'openapi: 3.0.0')).toBe(true);
    expect(isReadable('graphql', 'type Query { a: Int }')).toBe(false);
    expect(sourceOf({ openapi: '3.1.0' })).toBe('{\n  "openapi": "3.1.0"\n}');
    expect(sourceOf(undefined)).toBeUndefined();
  });
});
