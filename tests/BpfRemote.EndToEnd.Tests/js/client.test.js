// A client of the agent in JavaScript, made from the protos alone: what a dashboard or a tool in another language sees.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import { readErrorInfo } from './error-info.js';

// { target, protos, maps: [{ id, name, type, keySize, valueStride, guarantee, entries: { keyHex: valueHex } }] }
const input = JSON.parse(readFileSync(process.env.BPFREMOTE_TEST_INPUT, 'utf8'));

const definition = protoLoader.loadSync(
  ['map_service.proto', 'node_service.proto', 'error_reason.proto'].map((file) => path.join('bpfremote/v1', file)),
  { includeDirs: [input.protos], keepCase: true, longs: BigInt, enums: String, bytes: Buffer, defaults: true });
const api = grpc.loadPackageDefinition(definition).bpfremote.v1;

const clients = [];
after(() => clients.forEach((client) => client.close()));

// Each client has a connection of its own.
function connect(Service = api.MapService) {
  const client = new Service(input.target, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  clients.push(client);
  return client;
}

function call(client, method, request) {
  return new Promise((resolve, reject) => client[method](request, (error, response) => (error ? reject(error) : resolve(response))));
}

async function readAll(stream) {
  const responses = [];
  for await (const response of stream) {
    responses.push(response);
  }
  return responses;
}

// Adds what responses hold to entries by key; no key may come twice.
function collect(entries, responses, { key_size: keySize, value_stride: valueStride }) {
  for (const { count, keys, values } of responses) {
    assert.equal(keys.length, count * keySize);
    assert.equal(values.length, count * valueStride);
    for (let i = 0; i < count; i++) {
      const key = keys.toString('hex', i * keySize, (i + 1) * keySize);
      assert.ok(!(key in entries), `${key} came twice`);
      entries[key] = values.toString('hex', i * valueStride, (i + 1) * valueStride);
    }
  }
}

async function assertFails(promise, code, reason, metadata = {}) {
  const error = await promise.then(() => assert.fail('succeeded'), (failure) => failure);
  assert.equal(grpc.status[error.code], code, error.message);
  const info = readErrorInfo(error.metadata.get('grpc-status-details-bin')[0]);
  assert.equal(info.status.code, error.code);
  assert.equal(info.domain, 'bpfremote');
  assert.equal(info.reason, reason);
  assert.ok(`ERROR_REASON_${reason}` in reasons, `${reason} is not published`);
  for (const [name, value] of Object.entries(metadata)) {
    assert.equal(info.metadata[name], value);
  }
  return info;
}

const reasons = Object.fromEntries(definition['bpfremote.v1.ErrorReason'].type.value.map(({ name, number }) => [name, number]));

test('every field that clients depend on is in the protos', () => {
  const fields = {
    MapSelector: 'id name pinned_path',
    Map: `id name type type_name key_size value_size value_stride max_entries flags map_extra frozen memlock_bytes btf_id
      btf_key_type_id btf_value_type_id btf_vmlinux_value_type_id ifindex netns_dev netns_ino owner_prog_type owner_jited
      value_kind read_support max_lookup_keys pinned_paths programs owners owners_complete`,
    ReadSupport: 'read_method guarantee reason',
    ListMapsRequest: 'page_size page_token types name_glob pinned_path_glob view',
    ListMapsResponse: 'maps next_page_token',
    GetMapResponse: 'map',
    LookupBatchRequest: 'map continuation_token batch_size limit pace include',
    LookupBatchResponse: 'count keys values continuation_token layout cost',
    Layout: `map_id map_name key_size value_size value_stride possible_cpu_ids byte_order value_kind guarantee read_method
      value_error boot_id realtime_ns monotonic_ns boottime_ns`,
    ScanCost: 'entries native_calls kernel_time pace_wait_time retries restarts bytes',
    LookupElementsRequest: 'map keys',
    LookupElementsResponse: 'layout found values cost',
    GetBtfRequest: 'map kind',
    GetNodeResponse: 'node',
    Node: `hostname kernel_release boot_id possible_cpu_ids byte_order agent_version libbpf_version start_time principal
      access_mode lockdown limits features`,
  };
  for (const [message, names] of Object.entries(fields)) {
    const found = definition[`bpfremote.v1.${message}`].type.field.map(({ name }) => name);
    assert.deepEqual(names.split(/\s+/).filter((name) => !found.includes(name)), [], message);
  }
});

test('the node says who it is and what it can do', async () => {
  const { node } = await call(connect(api.NodeService), 'GetNode', {});
  assert.match(node.boot_id, /^[0-9a-f-]{36}$/);
  assert.match(node.kernel_release, /^\d+\.\d+/);
  assert.match(node.libbpf_version, /^\d+\.\d+/);
  assert.equal(node.principal, input.target.startsWith('unix:') ? 'unix:uid=0' : 'anonymous');
  assert.equal(node.access_mode, 'ACCESS_MODE_ENUMERATE');
  assert.ok(node.possible_cpu_ids.length > 0);
  assert.ok(node.limits.max_response_bytes < 4 << 20);
  for (const feature of ['list_maps', 'get_map', 'lookup_batch', 'lookup_elements']) {
    assert.ok(node.features.includes(feature), feature);
  }
});

test('maps are listed page by page', async () => {
  const client = connect();
  const ids = [];
  let pages = 0;
  for (let pageToken = ''; pages === 0 || pageToken; pages++) {
    const page = await call(client, 'ListMaps', { page_size: 1, page_token: pageToken, name_glob: 'e2e_kn*' });
    assert.ok(page.maps.length <= 1);
    ids.push(...page.maps.map(({ id }) => id));
    pageToken = page.next_page_token;
  }
  assert.ok(pages >= input.maps.length);
  assert.deepEqual(ids, [...new Set(ids)].sort((a, b) => a - b));
  assert.deepEqual(input.maps.map(({ id }) => id).filter((id) => !ids.includes(id)), []);
});

for (const expected of input.maps) {
  const selector = { id: expected.id };

  test(`${expected.type}: is described`, async () => {
    const { map } = await call(connect(), 'GetMap', { map: selector, view: 'MAP_VIEW_FULL' });
    assert.equal(map.id, expected.id);
    assert.equal(map.name, expected.name);
    assert.equal(map.type_name, expected.type);
    assert.equal(map.key_size, expected.keySize);
    assert.equal(map.value_stride, expected.valueStride);
    assert.equal(map.read_support.guarantee, `GUARANTEE_${expected.guarantee}`);
    assert.equal(map.read_support.read_method, 'READ_METHOD_BATCH');
    assert.ok(map.memlock_bytes > 0n);
    assert.ok(map.owners.some(({ pid }) => pid === input.pid));
  });

  test(`${expected.type}: one stream gives everything once`, async () => {
    const responses = await readAll(connect().LookupBatch({ map: selector, batch_size: 100 }));
    const [{ layout }] = responses;
    assert.equal(layout.map_id, expected.id);
    assert.ok(responses.slice(1).every((response) => response.layout === null));
    assert.ok(responses.slice(0, -1).every((response) => response.continuation_token.length > 0));
    assert.equal(responses.at(-1).continuation_token, '');
    assert.equal(responses.at(-1).cost.entries, BigInt(Object.keys(expected.entries).length));
    assert.ok(responses.every(({ count }) => count <= 100));
    const entries = {};
    collect(entries, responses, layout);
    assert.deepEqual(entries, expected.entries);
  });

  test(`${expected.type}: pages by limit, each in a connection of its own, give everything once`, async () => {
    const entries = {};
    let token = '';
    do {
      // Every second page goes by the token alone.
      const request = token && Object.keys(entries).length % 2 ? { continuation_token: token } : { map: selector, continuation_token: token };
      const client = connect();
      const responses = await readAll(client.LookupBatch({ ...request, limit: 150 }));
      client.close();
      assert.ok(responses.length > 0);
      assert.ok(responses.reduce((sum, { count }) => sum + count, 0) <= 150);
      collect(entries, responses, responses[0].layout);
      token = responses.at(-1).continuation_token;
    } while (token);
    assert.deepEqual(entries, expected.entries);
  });

  test(`${expected.type}: a stream goes on from the token of every one of its responses`, async () => {
    const client = connect();
    const responses = await readAll(client.LookupBatch({ map: selector, batch_size: 300, pace: 'PACE_FULL' }));
    for (let i = 0; i < responses.length - 1; i++) {
      const rest = await readAll(connect().LookupBatch({ continuation_token: responses[i].continuation_token, pace: 'PACE_FULL' }));
      const entries = {};
      collect(entries, responses.slice(0, i + 1), responses[0].layout);
      collect(entries, rest, rest[0].layout);
      assert.deepEqual(entries, expected.entries);
    }
  });

  test(`${expected.type}: keys are counted, listed and looked up`, async () => {
    const client = connect();
    const keys = Object.keys(expected.entries);
    const counted = await readAll(client.LookupBatch({ map: selector, include: 'INCLUDE_COUNT_ONLY' }));
    assert.equal(counted.reduce((sum, { count }) => sum + count, 0), keys.length);
    assert.ok(counted.every((response) => response.keys.length + response.values.length === 0));

    const listed = await readAll(client.LookupBatch({ map: selector, include: 'INCLUDE_KEYS' }));
    assert.equal(listed.reduce((sum, response) => sum + response.keys.length, 0), keys.length * expected.keySize);

    const wanted = keys.slice(0, 20);
    const found = await call(client, 'LookupElements', { map: selector, keys: Buffer.from(wanted.join(''), 'hex') });
    assert.deepEqual(found.found, wanted.map(() => true));
    assert.equal(found.values.toString('hex'), wanted.map((key) => expected.entries[key]).join(''));
  });
}

test('what is wrong has a status and a reason', async () => {
  const client = connect();
  const [first, second] = input.maps;
  const scan = (request) => readAll(client.LookupBatch(request));
  const [{ continuation_token: token }] = await scan({ map: { id: first.id }, limit: 10 });

  await assertFails(call(client, 'GetMap', { map: { id: 0xffffffff } }), 'NOT_FOUND', 'MAP_NOT_FOUND');
  await assertFails(scan({ map: { pinned_path: '/sys/fs/bpf/no/such/pin' } }), 'NOT_FOUND', 'MAP_NOT_FOUND');
  await assertFails(call(client, 'GetMap', { map: { name: first.name } }), 'FAILED_PRECONDITION', 'MAP_NAME_AMBIGUOUS');
  await assertFails(scan({ continuation_token: 'AAAA' }), 'INVALID_ARGUMENT', 'TOKEN_INVALID');
  await assertFails(scan({ map: { id: second.id }, continuation_token: token }), 'INVALID_ARGUMENT', 'TOKEN_INVALID');
  await assertFails(
    call(client, 'LookupElements', { map: { id: first.id }, keys: Buffer.alloc(first.keySize * 1001) }),
    'INVALID_ARGUMENT', 'TOO_MANY_KEYS');
  await assertFails(call(client, 'ListMaps', { page_token: 'AAAA' }), 'INVALID_ARGUMENT', 'PAGE_TOKEN_INVALID');

  const info = await assertFails(scan({ pace: 77, include: 88 }), 'INVALID_ARGUMENT', 'FIELD_INVALID');
  assert.ok(info.detailTypes.includes('type.googleapis.com/google.rpc.BadRequest'));
  assert.match(info.status.message, /map: .*pace: .*include: /);
});

test('a client that goes away leaves the agent serving', async () => {
  const client = connect();
  const stream = client.LookupBatch({ map: { id: input.maps[0].id }, batch_size: 1 });
  await new Promise((resolve) => stream.once('data', resolve));
  const cancelled = new Promise((resolve) => stream.once('error', resolve));
  stream.cancel();
  assert.equal(grpc.status[(await cancelled).code], 'CANCELLED');
  await call(client, 'GetMap', { map: { id: input.maps[0].id } });
});
