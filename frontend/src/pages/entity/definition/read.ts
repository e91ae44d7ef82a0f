import { isObject, type Json, list, resolve, text } from './refs';

/** An API as its page shows it, whether it was described by OpenAPI or AsyncAPI. */
export type ApiDoc = {
  /** Such as "OpenAPI 3.1.0". */
  format: string;
  title: string;
  version: string;
  description: string;
  servers: { url: string; description: string }[];
  groups: { name: string; description: string; operations: Operation[] }[];
  schemas: { name: string; schema: unknown }[];
};

export type Operation = {
  id: string;
  /** GET, or SEND and RECEIVE of channels. */
  method: string;
  path: string;
  summary: string;
  description: string;
  deprecated: boolean;
  parameters: Parameter[];
  /** Each with a schema per media type. */
  bodies: Body[];
};

export type Parameter = {
  name: string;
  place: string;
  required: boolean;
  deprecated: boolean;
  description: string;
  schema: unknown;
};
export type Body = { title: string; description: string; contents: { media: string; schema: unknown }[] };

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'];
const ungrouped = 'Operations';

/** Reads what the document says, as far as it can be read; undefined if it is none of the formats known here. */
export function readApi(doc: unknown): ApiDoc | undefined {
  if (!isObject(doc)) return undefined;
  if ('asyncapi' in doc) return readAsync(doc);
  if ('openapi' in doc || 'swagger' in doc) return readOpen(doc);
  return undefined;
}

function head(doc: Json, format: string): Omit<ApiDoc, 'groups' | 'servers' | 'schemas'> {
  const info = isObject(doc.info) ? doc.info : {};
  return { format, title: text(info.title), version: text(info.version), description: text(info.description) };
}

function schemasOf(doc: Json): ApiDoc['schemas'] {
  const components = isObject(doc.components) ? doc.components : {};
  const all = isObject(components.schemas) ? components.schemas : isObject(doc.definitions) ? doc.definitions : {};
  return Object.entries(all).map(([name, schema]) => ({ name, schema }));
}

/** Gathers operations by tag, in the order of the tags that the document lists, then of use. */
class Groups {
  #groups = new Map<string, ApiDoc['groups'][number]>();

  constructor(tags: unknown) {
    for (const tag of list(tags))
      if (isObject(tag) && text(tag.name)) this.#group(text(tag.name)).description = text(tag.description);
  }
  #group(name: string) {
    let group = this.#groups.get(name);
    if (!group) {
      group = { name, description: '', operations: [] };
      this.#groups.set(name, group);
    }
    return group;
  }
  add(tag: string, operation: Operation) {
    this.#group(tag || ungrouped).operations.push(operation);
  }
  all() {
    return [...this.#groups.values()].filter((g) => g.operations.length > 0);
  }
}

function readOpen(doc: Json): ApiDoc {
  const groups = new Groups(doc.tags);
  const sections = [
    ['', doc.paths],
    ['webhook ', doc.webhooks],
  ] as const;
  for (const [prefix, section] of sections) {
    if (!isObject(section)) continue;
    for (const [path, item] of Object.entries(section)) {
      const found = resolve(doc, item).value;
      if (!isObject(found)) continue;
      for (const method of methods) {
        const operation = found[method];
        if (!isObject(operation)) continue;
        groups.add(text(list(operation.tags)[0]), readOperation(doc, operation, found, method, `${prefix}${path}`));
      }
    }
  }
  const version = text(doc.openapi) || text(doc.swagger);
  return { ...head(doc, `OpenAPI ${version}`), servers: serversOf(doc), groups: groups.all(), schemas: schemasOf(doc) };
}

function readOperation(doc: Json, o: Json, item: Json, method: string, path: string): Operation {
  // What the operation says of a parameter goes before what its path says.
  const parameters = new Map<string, Parameter>();
  const bodies: Body[] = [];
  for (const raw of [...list(item.parameters), ...list(o.parameters)]) {
    const found = resolve(doc, raw);
    const p = isObject(found.value) ? found.value : {};
    const place = text(p.in);
    const name = text(p.name) || found.name || 'unnamed';
    if (place === 'body') {
      bodies.unshift({
        title: 'Request body',
        description: text(p.description),
        contents: [
          {
            media: list(o.consumes ?? doc.consumes)
              .map(text)
              .join(', '),
            schema: p.schema,
          },
        ],
      });
      continue;
    }
    parameters.set(`${place} ${name}`, {
      name,
      place,
      required: p.required === true || place === 'path',
      deprecated: p.deprecated === true,
      description: found.problem ? `${found.ref} is not in this document` : text(p.description),
      // Swagger 2 has the limits on the parameter itself.
      schema: p.schema ?? (isObject(p.content) ? contentsOf(p.content)[0]?.schema : p),
    });
  }
  const request = resolve(doc, o.requestBody).value;
  if (isObject(request))
    bodies.push({
      title: request.required === true ? 'Request body, required' : 'Request body',
      description: text(request.description),
      contents: contentsOf(request.content),
    });
  for (const [code, raw] of Object.entries(isObject(o.responses) ? o.responses : {})) {
    const found = resolve(doc, raw);
    const r = isObject(found.value) ? found.value : {};
    bodies.push({
      title: `Response ${code}`,
      description: text(r.description) || (found.problem ? `${found.ref} is not in this document` : ''),
      contents: r.schema === undefined ? contentsOf(r.content) : [{ media: '', schema: r.schema }],
    });
  }
  return {
    id: `${method} ${path}`,
    method: method.toUpperCase(),
    path,
    summary: text(o.summary) || text(o.operationId),
    description: text(o.description),
    deprecated: o.deprecated === true,
    parameters: [...parameters.values()],
    bodies,
  };
}

function contentsOf(content: unknown): Body['contents'] {
  if (!isObject(content)) return [];
  return Object.entries(content).map(([media, c]) => ({ media, schema: isObject(c) ? c.schema : undefined }));
}

function serversOf(doc: Json): ApiDoc['servers'] {
  if (text(doc.host)) {
    const schemes = list(doc.schemes).map(text);
    return (schemes.length > 0 ? schemes : ['https']).map((scheme) => ({
      url: `${scheme}://${text(doc.host)}${text(doc.basePath)}`,
      description: '',
    }));
  }
  const all = Array.isArray(doc.servers) ? doc.servers : isObject(doc.servers) ? Object.values(doc.servers) : [];
  return all.filter(isObject).map((s) => ({
    url: text(s.url) || `${text(s.protocol)}://${text(s.host)}${text(s.pathname)}`,
    description: text(s.description),
  }));
}

function readAsync(doc: Json): ApiDoc {
  const groups = new Groups(doc.tags);
  const channels = isObject(doc.channels) ? doc.channels : {};
  const add = (method: string, path: string, o: Json, channel: Json, messages: unknown[]) => {
    const first = list(o.tags)[0];
    groups.add(isObject(first) ? text(first.name) : '', {
      id: `${method} ${path} ${text(o.operationId)}`.trim(),
      method,
      path,
      summary: text(o.summary) || text(o.title) || text(o.operationId),
      description: text(o.description) || text(channel.description),
      deprecated: o.deprecated === true,
      parameters: Object.entries(isObject(channel.parameters) ? channel.parameters : {}).map(([name, raw]) => {
        const p = resolve(doc, raw).value;
        return {
          name,
          place: 'channel',
          required: true,
          deprecated: false,
          description: isObject(p) ? text(p.description) : '',
          schema: isObject(p) ? (p.schema ?? { type: 'string' }) : undefined,
        };
      }),
      bodies: messages.map((raw) => messageOf(doc, raw)),
    });
  };
  for (const [key, raw] of Object.entries(channels)) {
    const channel = resolve(doc, raw).value;
    if (!isObject(channel)) continue;
    // Up to version 2 a channel says what others do with it.
    for (const [field, method] of [
      ['publish', 'PUBLISH'],
      ['subscribe', 'SUBSCRIBE'],
    ] as const) {
      const o = channel[field];
      if (!isObject(o)) continue;
      const one = isObject(o.message) && Array.isArray(o.message.oneOf) ? o.message.oneOf : o.message;
      add(method, key, o, channel, Array.isArray(one) ? one : one === undefined ? [] : [one]);
    }
  }
  for (const [key, raw] of Object.entries(isObject(doc.operations) ? doc.operations : {})) {
    const o = resolve(doc, raw).value;
    if (!isObject(o)) continue;
    const found = resolve(doc, o.channel);
    const channel = isObject(found.value) ? found.value : {};
    const own = list(o.messages);
    const messages = own.length > 0 ? own : Object.values(isObject(channel.messages) ? channel.messages : {});
    const address = text(channel.address) || found.name || key;
    add(text(o.action).toUpperCase() || 'OPERATION', address, { operationId: key, ...o }, channel, messages);
  }
  return {
    ...head(doc, `AsyncAPI ${text(doc.asyncapi)}`),
    servers: serversOf(doc),
    groups: groups.all(),
    schemas: schemasOf(doc),
  };
}

function messageOf(doc: Json, raw: unknown): Body {
  const found = resolve(doc, raw);
  const m = isObject(found.value) ? found.value : {};
  const name = text(m.title) || text(m.name) || found.name;
  return {
    title: name ? `Message ${name}` : 'Message',
    description: text(m.description) || text(m.summary),
    contents: m.payload === undefined ? [] : [{ media: text(m.contentType), schema: m.payload }],
  };
}

/** The groups with only the operations that have all the words. */
export function searchOperations(groups: ApiDoc['groups'], q: string): ApiDoc['groups'] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return groups;
  return groups
    .map((g) => ({
      ...g,
      operations: g.operations.filter((o) => {
        const all = `${o.method} ${o.path} ${o.summary} ${g.name}`.toLowerCase();
        return words.every((w) => all.includes(w));
      }),
    }))
    .filter((g) => g.operations.length > 0);
}
