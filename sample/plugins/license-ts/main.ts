// A sample plugin in TypeScript. It says what the license of an entity's
// repository asks of those who use it. All that a plugin in any language does is
// here: read the handshake, serve RemoteService on a Unix socket, and say where.
import * as path from 'node:path';
import * as grpc from '@grpc/grpc-js';
import * as loader from '@grpc/proto-loader';

if (process.env.WAYPOST_PLUGIN !== 'waypost.plugin.v1.RemoteService') {
  console.error('This is a plugin of Waypost, which starts it: see docs/plugins.md.');
  process.exit(1);
}

// Compiled, this file lies in dist/.
const protos = process.env.WAYPOST_PROTOS ?? path.join(__dirname, '..', '..', '..', '..', 'proto');
const loaded = grpc.loadPackageDefinition(
  loader.loadSync('waypost/plugin/v1/remote.proto', {
    includeDirs: [protos],
    keepCase: true,
    enums: String,
    longs: Number,
    defaults: true,
    oneofs: true,
  }),
) as any; // the packages are known when the protos are read, and not before
const service: grpc.ServiceDefinition = loaded.waypost.plugin.v1.RemoteService.service;

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

// google.protobuf.Value and Struct, as the loader reads them.
interface Value {
  kind?: 'nullValue' | 'numberValue' | 'stringValue' | 'boolValue' | 'structValue' | 'listValue';
  nullValue?: string;
  numberValue?: number;
  stringValue?: string;
  boolValue?: boolean;
  structValue?: Struct;
  listValue?: { values: Value[] };
}
interface Struct { fields?: Record<string, Value> }

interface Subject {
  ref: string;
  repository?: { name: string; facts?: Struct };
}
interface Fact {
  key: string;
  value: Value;
  evidence: { kind: string; text: string; repository: string }[];
}
interface Answer { facts?: Fact[] }

const fromValue = (v: Value): Json => {
  switch (v.kind) {
    case 'numberValue': return v.numberValue ?? null;
    case 'stringValue': return v.stringValue ?? '';
    case 'boolValue': return v.boolValue ?? false;
    case 'structValue': return fromStruct(v.structValue);
    case 'listValue': return (v.listValue?.values ?? []).map(fromValue);
    default: return null;
  }
};
const fromStruct = (s?: Struct): { [key: string]: Json } =>
  Object.fromEntries(Object.entries(s?.fields ?? {}).map(([k, v]) => [k, fromValue(v)]));
const toValue = (v: Json): Value => {
  if (v === null) return { nullValue: 'NULL_VALUE' };
  if (typeof v === 'number') return { numberValue: v };
  if (typeof v === 'string') return { stringValue: v };
  if (typeof v === 'boolean') return { boolValue: v };
  if (Array.isArray(v)) return { listValue: { values: v.map(toValue) } };
  return { structValue: toStruct(v) };
};
const toStruct = (o: { [key: string]: Json }): Struct => ({ fields: Object.fromEntries(Object.entries(o).map(([k, v]) => [k, toValue(v)])) });

const risks: Record<string, string[]> = {
  permissive: ['MIT', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', '0BSD', 'Unlicense'],
  weak: ['MPL-2.0', 'LGPL-2.1', 'LGPL-3.0', 'EPL-2.0'],
  strong: ['GPL-2.0', 'GPL-3.0', 'AGPL-3.0'],
};

const descriptor = {
  name: 'license',
  version: '1.0.0',
  summary: "Says what the license of an entity's repository asks of those who use it.",
  config_schema: toStruct({
    type: ['object', 'null'],
    properties: { allowed: { type: 'array', items: { type: 'string' } } },
    additionalProperties: false,
  }),
  kinds: ['Component', 'API'],
  facts: [
    {
      key: 'license.risk',
      title: 'License',
      description: 'none: there is no license; allowed: the configuration allows it; permissive, weak or strong: how far its copyleft goes; unknown: another one.',
      schema: toStruct({ enum: ['none', 'allowed', 'permissive', 'weak', 'strong', 'unknown'] }),
      filterable: true,
      display: 'badge',
    },
  ],
  roles: ['ROLE_ENRICH'],
  limits: { concurrent: 4 },
};

let allowed: Json[] = [];

function risk(license: Json | undefined): string {
  if (typeof license !== 'string' || license === '' || license === 'NONE') return 'none';
  if (allowed.includes(license)) return 'allowed';
  const bare = license.replace(/-(only|or-later)$/, '');
  const found = Object.entries(risks).find(([, ids]) => ids.includes(bare));
  return found ? found[0] : 'unknown';
}

// answer says nothing of an entity that no repository declares.
function answer(subject: Subject): Answer {
  if (!subject.repository) return {};
  const { license } = fromStruct(subject.repository.facts);
  return {
    facts: [{
      key: 'license.risk',
      value: toValue(risk(license)),
      evidence: [{ kind: 'license', text: license ? `The license is ${license}.` : 'The repository has no license that its forge knows.', repository: subject.repository.name }],
    }],
  };
}

const server = new grpc.Server({
  'grpc.max_receive_message_length': 16 << 20,
  'grpc.max_send_message_length': 16 << 20,
});
server.addService(service, {
  Describe: (_call: grpc.ServerUnaryCall<unknown, unknown>, done: grpc.sendUnaryData<unknown>) => done(null, { descriptor }),
  Configure: (call: grpc.ServerUnaryCall<{ config?: Struct }, unknown>, done: grpc.sendUnaryData<unknown>) => {
    const { allowed: list } = fromStruct(call.request.config);
    allowed = Array.isArray(list) ? list : [];
    done(null, {});
  },
  Enrich: (call: grpc.ServerUnaryCall<{ subjects: Subject[] }, unknown>, done: grpc.sendUnaryData<unknown>) => done(null, { answers: call.request.subjects.map(answer) }),
});

const socket = path.join(process.env.PLUGIN_UNIX_SOCKET_DIR ?? '.', 'license.sock');
server.bindAsync(`unix:${socket}`, grpc.ServerCredentials.createInsecure(), (err) => {
  if (err) {
    console.error(`listen on ${socket}: ${err.message}`);
    process.exit(1);
  }
  // go-plugin's version, that of this protocol, and where to call what.
  console.log(`1|1|unix|${socket}|grpc`);
});
