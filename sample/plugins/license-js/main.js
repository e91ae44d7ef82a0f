// A sample plugin in JavaScript. It says what the license of an entity's
// repository asks of those who use it. All that a plugin in any language does is
// here: read the handshake, serve RemoteService on a Unix socket, and say where.
'use strict';

const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

if (process.env.WAYPOST_PLUGIN !== 'waypost.plugin.v1.RemoteService') {
  console.error('This is a plugin of Waypost, which starts it: see docs/plugins.md.');
  process.exit(1);
}

const protos = process.env.WAYPOST_PROTOS || path.join(__dirname, '..', '..', '..', 'proto');
const { RemoteService } = grpc.loadPackageDefinition(
  loader.loadSync('waypost/plugin/v1/remote.proto', {
    includeDirs: [protos],
    keepCase: true,
    enums: String,
    longs: Number,
    defaults: true,
    oneofs: true,
  }),
).waypost.plugin.v1;

// google.protobuf.Value, Struct and ListValue, to JavaScript and back.
const fromValue = (v) => {
  switch (v && v.kind) {
    case 'numberValue': return v.numberValue;
    case 'stringValue': return v.stringValue;
    case 'boolValue': return v.boolValue;
    case 'structValue': return fromStruct(v.structValue);
    case 'listValue': return v.listValue.values.map(fromValue);
    default: return null;
  }
};
const fromStruct = (s) => Object.fromEntries(Object.entries((s && s.fields) || {}).map(([k, v]) => [k, fromValue(v)]));
const toValue = (v) => {
  if (v === null || v === undefined) return { nullValue: 'NULL_VALUE' };
  if (typeof v === 'number') return { numberValue: v };
  if (typeof v === 'string') return { stringValue: v };
  if (typeof v === 'boolean') return { boolValue: v };
  if (Array.isArray(v)) return { listValue: { values: v.map(toValue) } };
  return { structValue: toStruct(v) };
};
const toStruct = (o) => ({ fields: Object.fromEntries(Object.entries(o).map(([k, v]) => [k, toValue(v)])) });

const risks = {
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

let allowed = [];

function risk(license) {
  if (!license || license === 'NONE') return 'none';
  if (allowed.includes(license)) return 'allowed';
  const bare = license.replace(/-(only|or-later)$/, '');
  const found = Object.entries(risks).find(([, ids]) => ids.includes(bare));
  return found ? found[0] : 'unknown';
}

// answer says nothing of an entity that no repository declares.
function answer(subject) {
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
server.addService(RemoteService.service, {
  Describe: (call, done) => done(null, { descriptor }),
  Configure: (call, done) => {
    allowed = fromStruct(call.request.config).allowed || [];
    done(null, {});
  },
  Enrich: (call, done) => done(null, { answers: call.request.subjects.map(answer) }),
});

const socket = path.join(process.env.PLUGIN_UNIX_SOCKET_DIR, 'license.sock');
server.bindAsync(`unix:${socket}`, grpc.ServerCredentials.createInsecure(), (err) => {
  if (err) {
    console.error(`listen on ${socket}: ${err.message}`);
    process.exit(1);
  }
  // go-plugin's version, that of this protocol, and where to call what.
  console.log(`1|1|unix|${socket}|grpc`);
});
