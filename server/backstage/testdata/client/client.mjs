// Calls every public method of Backstage's CatalogClient against a running
// server, and has Backstage's own validators look at each entity that it gets.
// usage: node client.mjs ADDRESS ADDRESS_OF_A_CATALOG_FILE
import assert from 'node:assert/strict';
import { CatalogClient } from '@backstage/catalog-client';
import {
  apiEntityV1alpha1Validator, componentEntityV1alpha1Validator, domainEntityV1alpha1Validator, groupEntityV1alpha1Validator,
  locationEntityV1alpha1Validator, resourceEntityV1alpha1Validator, systemEntityV1alpha1Validator, userEntityV1alpha1Validator,
  DefaultNamespaceEntityPolicy, EntityPolicies, FieldFormatEntityPolicy, NoForeignRootFieldsEntityPolicy, SchemaValidEntityPolicy,
  stringifyEntityRef,
} from '@backstage/catalog-model';

const [base, file] = process.argv.slice(2);
const client = new CatalogClient({ discoveryApi: { getBaseUrl: async id => `${base}/api/${id}` } });
const called = new Set();
const api = new Proxy(client, {
  get(target, name) {
    const member = Reflect.get(target, name);
    if (typeof member !== 'function') return member;
    called.add(name);
    return member.bind(target);
  },
});
const names = list => list.map(e => e.metadata.name);

// Reads.
const all = (await api.getEntities()).items;
assert.ok(all.length > 20, `${all.length} entities`);
const components = (await api.getEntities({ filter: { kind: 'component' }, order: { field: 'metadata.name', order: 'asc' } })).items;
assert.deepEqual(names(components), ['fraud-lib', 'Legacy_Billing.v1', 'orphanless', 'payments-service', 'shop-widget', 'web-shop']);
assert.deepEqual(names((await api.getEntities({ filter: [{ kind: 'component', 'spec.type': ['website', 'library'] }, { kind: 'domain' }], fields: ['metadata.name'], order: [{ field: 'metadata.name', order: 'desc' }] })).items),
  ['web-shop', 'shop-widget', 'fraud-lib', 'commerce', 'checkout']);
assert.deepEqual(names((await api.getEntities({ filter: { kind: 'component' }, order: { field: 'metadata.name', order: 'asc' }, offset: 1, limit: 2 })).items), ['Legacy_Billing.v1', 'orphanless']);
const pay = await api.getEntityByRef('component:default/payments-service');
assert.equal(pay.spec.owner, 'team-a');
assert.equal(await api.getEntityByRef('component:default/nope'), undefined);
assert.equal((await api.getEntityByName({ kind: 'Component', namespace: 'default', name: 'web-shop' })).metadata.name, 'web-shop');
const byRefs = await api.getEntitiesByRefs({ entityRefs: ['component:default/web-shop', 'component:default/nope', 'api:default/payments-api'], fields: ['kind', 'metadata.name'] });
assert.deepEqual(byRefs.items, [{ kind: 'Component', metadata: { name: 'web-shop' } }, undefined, { kind: 'API', metadata: { name: 'payments-api' } }]);
assert.deepEqual((await api.getEntitiesByRefs({ entityRefs: ['component:default/web-shop', 'component:default/fraud-lib'], query: { 'spec.type': 'website' } })).items[1], undefined);
const many = Array.from({ length: 2500 }, (_, i) => `component:default/absent-${i}`);
assert.equal((await api.getEntitiesByRefs({ entityRefs: [...many, 'user:default/bob'] })).items.filter(Boolean).length, 1);
const ancestors = await api.getEntityAncestors({ entityRef: 'component:default/payments-service' });
assert.equal(ancestors.rootEntityRef, 'component:default/payments-service');
assert.deepEqual(ancestors.items[0].parentEntityRefs, ['location:default/golden-root']);

// Pages, in both directions, with a filter and with a predicate.
for (const how of [{ filter: { kind: 'component' } }, { query: { $all: [{ kind: 'Component' }, { $not: { 'metadata.name': 'nope' } }] } }]) {
  const ask = { ...how, orderFields: [{ field: 'metadata.name', order: 'asc' }], limit: 2 };
  const first = await api.queryEntities(ask);
  assert.equal(first.totalItems, 6);
  const second = await api.queryEntities({ cursor: first.pageInfo.nextCursor, limit: 2 });
  const third = await api.queryEntities({ cursor: second.pageInfo.nextCursor, limit: 2 });
  assert.deepEqual([...names(first.items), ...names(second.items), ...names(third.items)], names(components));
  assert.equal(third.pageInfo.nextCursor, undefined);
  const back = await api.queryEntities({ cursor: third.pageInfo.prevCursor, limit: 2 });
  assert.deepEqual(names(back.items), names(second.items));
}
assert.deepEqual(names((await api.queryEntities({ fullTextFilter: { term: 'PAY', fields: ['metadata.name', 'metadata.title'] }, orderFields: { field: 'metadata.name', order: 'asc' } })).items),
  ['payments', 'payments-api', 'payments-db', 'payments-service']);
assert.deepEqual(names((await api.queryEntities({ query: { relations: { $contains: { type: 'ownedBy', targetRef: 'group:default/team-b' } }, kind: 'component' }, orderFields: { field: 'metadata.name', order: 'asc' } })).items),
  ['fraud-lib', 'shop-widget']);
assert.equal((await api.queryEntities({ query: { 'metadata.title': { $exists: false }, 'spec.type': { $hasPrefix: 'serv' } } })).totalItems, 2);
let streamed = 0;
for await (const page of api.streamEntities({ pageSize: 7 })) streamed += page.length;
assert.equal(streamed, all.length);
const facets = (await api.getEntityFacets({ facets: ['kind', 'spec.type'], filter: { kind: 'component' } })).facets;
assert.deepEqual(facets.kind, [{ value: 'Component', count: 6 }]);
assert.deepEqual((await api.getEntityFacets({ facets: ['spec.lifecycle'], query: { kind: 'Component' } })).facets['spec.lifecycle'].map(f => f.count), [1, 1, 4]);

// Every entity is one that Backstage takes.
const policy = EntityPolicies.allOf([new SchemaValidEntityPolicy(), new DefaultNamespaceEntityPolicy(), new NoForeignRootFieldsEntityPolicy(['apiVersion', 'kind', 'metadata', 'spec', 'relations']), new FieldFormatEntityPolicy()]);
const kinds = {
  API: apiEntityV1alpha1Validator, Component: componentEntityV1alpha1Validator, Domain: domainEntityV1alpha1Validator, Group: groupEntityV1alpha1Validator,
  Location: locationEntityV1alpha1Validator, Resource: resourceEntityV1alpha1Validator, System: systemEntityV1alpha1Validator, User: userEntityV1alpha1Validator,
};
let checked = 0;
for (const entity of all) {
  await policy.enforce(entity);
  if (kinds[entity.kind]) {
    assert.ok(await kinds[entity.kind].check(entity), stringifyEntityRef(entity));
    checked++;
  }
}
assert.ok(checked > 20, `${checked} entities were checked by the validators of their kinds`);

// Writes.
const valid = { apiVersion: 'backstage.io/v1alpha1', kind: 'Component', metadata: { name: 'fine' }, spec: { type: 'service', lifecycle: 'production', owner: 'team-a' } };
assert.deepEqual(await api.validateEntity(valid, 'url:https://host.example/x.yaml'), { valid: true });
const refused = await api.validateEntity({ ...valid, spec: {} }, 'url:https://host.example/x.yaml');
assert.equal(refused.valid, false);
assert.match(refused.errors[0].message, /component:default\/fine/);
await api.refreshEntity('component:default/web-shop');
await assert.rejects(api.refreshEntity('component:default/nope'), { statusCode: 404 });
const dry = await api.addLocation({ type: 'url', target: file, dryRun: true });
assert.equal(dry.exists, false);
assert.deepEqual(dry.entities.map(e => e.kind), ['Location', 'API', 'Component']);
const { location } = await api.addLocation({ type: 'url', target: file });
assert.ok(await api.getEntityByRef('component:default/remote-one'), 'what was registered can be read at once');
await assert.rejects(api.addLocation({ type: 'url', target: file }), { statusCode: 409 });
assert.deepEqual((await api.addLocation({ type: 'url', target: file, onConflict: 'refresh' })).location, location);
assert.deepEqual((await api.getLocations()).items, [location]);
assert.deepEqual((await api.queryLocations({ query: { type: 'url' } })).items, [location]);
const pages = [];
for await (const page of api.streamLocations({ query: { target: { $hasPrefix: 'http' } } })) pages.push(...page);
assert.deepEqual(pages, [location]);
assert.deepEqual(await api.getLocationById(location.id), location);
assert.equal(await api.getLocationById('00000000-0000-0000-0000-000000000000'), undefined);
assert.deepEqual(await api.getLocationByRef(`url:${file}`), location);
assert.deepEqual(await api.getLocationByEntity('component:default/remote-one'), location);
assert.equal(await api.getLocationByEntity('component:default/nope'), undefined);
assert.equal((await api.updateLocation(location.id, { type: 'url', target: `${file}?v=2` })).target, `${file}?v=2`);
assert.equal((await api.analyzeLocation({ location: { type: 'url', target: 'https://github.com/acme/shop' } })).generateEntities[0].entity.metadata.name, 'shop');
await api.removeEntityByUid('00000000-0000-0000-0000-000000000000');
await api.removeLocationById(location.id);
assert.equal(await api.getEntityByRef('component:default/remote-one'), undefined);

const methods = Object.getOwnPropertyNames(CatalogClient.prototype).filter(n => !['constructor', 'requestIgnored', 'requestRequired', 'requestOptional', 'getFilterValue', 'getEntityFacetsByPredicate', 'queryEntitiesByPredicate'].includes(n));
assert.deepEqual(methods.filter(n => !called.has(n)), [], 'methods that were not called');
console.log(`${methods.length} methods, ${all.length} entities`);
