import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { listen } from '@atelier/http';
import fc from 'fast-check';
import { type InferenceUnderTest, openInference } from '../../support/inference-service.ts';
import { publishTiny, randomImage } from '../../support/published-version.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Fixed, so that a failure comes again; another finds other requests. */
const SEED = 20_261;
const RUNS = 1_000;

const image = randomImage(3);
const HEADER = JSON.stringify({
  inputs: [{ name: 'image', datatype: 'UINT8', shape: [1, 28, 28], parameters: { binary_data_size: 784 } }],
});

/** A request as it goes over the wire. */
interface Wire {
  method: string;
  path: string;
  headers: [string, string][];
  body: Buffer;
}

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values);

const method = fc.oneof(
  { weight: 9, arbitrary: oneOf('GET', 'POST', 'POST', 'POST') },
  { weight: 1, arbitrary: oneOf('PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'PROPFIND') },
);

/** A segment of a path: good, empty, a space, above the root, encoded in every way, long. */
const segment = fc.oneof(
  { weight: 4, arbitrary: oneOf('fashion-mlp', '1', 'stats', 'versions', 'infer') },
  oneOf(
    '',
    '%20',
    '..',
    '%2e%2e',
    '%2F',
    '..%2f..%2fetc',
    '%00',
    '%ff',
    '%',
    '%zz',
    '-1',
    '0',
    '1e3',
    '01',
    '9'.repeat(40),
  ),
  oneOf('__proto__', 'constructor', 'x'.repeat(5_000), '*', ':model', '(', '%5B', '%F0%9F%91%97', ';', '@'),
);

const path = fc.oneof(
  { weight: 9, arbitrary: oneOf('/v2/models/fashion-mlp/infer', '/v2/models/fashion-mlp/versions/1/infer') },
  oneOf('/v2', '/v2/', '/v2//', '/v2?x=1', '/v2/health/live', '/v2/health/ready', '/v2/models', '/v2/models/stats'),
  oneOf('/v2/repository/index', '/v2/repository/models/fashion-mlp/load', '/v2/repository/models/x/unload'),
  fc.tuple(segment, segment).map(([model, last]) => `/v2/models/${model}/${last}`),
  fc.tuple(segment, segment).map(([model, version]) => `/v2/models/${model}/versions/${version}/infer`),
  fc.array(segment, { maxLength: 6 }).map((segments) => `/v2/${segments.join('/')}`),
);

const number = oneOf<unknown>(0, 1, 28, 784, -1, 1.5, 255, 256, 2 ** 31, 2 ** 53, 1e308, '1', null, true, [], {}, [28]);
const anything = fc.oneof(
  number,
  fc.jsonValue({ maxDepth: 3 }),
  oneOf<unknown>('', ' ', 'image', '__proto__', 'ü'.repeat(300)),
);

const shape = fc.oneof(
  { weight: 3, arbitrary: fc.constant<unknown>([1, 28, 28]) },
  fc.array(number, { maxLength: 12 }),
  anything,
);
const datatype = fc.oneof(
  { weight: 3, arbitrary: oneOf<unknown>('UINT8', 'FP32', 'BYTES', 'INT64', 'FP16', 'BOOL') },
  anything,
);
const data = fc.oneof(
  { weight: 2, arbitrary: fc.constant<unknown>([...image]) },
  fc.array(anything, { maxLength: 20 }),
  fc.constant<unknown>([Array.from({ length: 28 }, () => Array<number>(28).fill(7))]),
  fc.nat(400).map((depth) => JSON.parse(`[${'['.repeat(depth)}${']'.repeat(depth)}]`) as unknown),
  anything,
);
const parameters = fc.oneof(
  fc.dictionary(
    oneOf('binary_data_size', 'binary_data', 'classification', 'priority', 'timeout', 'triton_x', '__proto__'),
    anything,
  ),
  anything,
);

const tensor = fc.record(
  {
    name: fc.oneof({ weight: 4, arbitrary: fc.constant<unknown>('image') }, anything),
    shape,
    datatype,
    data,
    parameters,
  },
  { requiredKeys: [] },
);
const output = fc.record(
  { name: fc.oneof(oneOf<unknown>('logits', 'probabilities'), anything), parameters },
  { requiredKeys: [] },
);

/** Twice the same input or output, too. */
const several = <T>(one: fc.Arbitrary<T>) =>
  fc.oneof(
    one.map((each) => [each]),
    one.map((each) => [each, each]),
    fc.array(one, { maxLength: 4 }),
  );

const json = fc
  .record(
    {
      id: anything,
      parameters,
      inputs: fc.oneof(
        { weight: 2, arbitrary: several(tensor) },
        fc.array(anything, { minLength: 1, maxLength: 3 }),
        anything,
      ),
      outputs: fc.oneof(several(output), anything),
      ready: anything,
    },
    { requiredKeys: ['inputs'] },
  )
  .map((value) => Buffer.from(JSON.stringify(value)));

const good = oneOf(
  Buffer.concat([Buffer.from(HEADER), image]),
  Buffer.from(image),
  Buffer.from(JSON.stringify({ inputs: [{ name: 'image', datatype: 'UINT8', shape: [1, 28, 28], data: [...image] }] })),
);

const bomb = gzipSync(Buffer.alloc(20_000_000));
const body = fc.oneof(
  { weight: 3, arbitrary: json },
  { weight: 3, arbitrary: good },
  anything.map((value) => Buffer.from(JSON.stringify(value))),
  fc.tuple(good, fc.nat(1_000)).map(([whole, end]) => whole.subarray(0, end)), // cut anywhere
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  oneOf(
    bomb,
    gzipSync('{}'),
    gzipSync(HEADER).subarray(0, 20),
    Buffer.from('['.repeat(60_000)),
    Buffer.from('{"a":'.repeat(9_000)),
  ),
  fc.constant(Buffer.alloc(0)),
);

const lengths = oneOf(
  String(HEADER.length),
  '0',
  '-1',
  '1',
  '99999999',
  '1e2',
  '0x5',
  ' 5',
  '5, 5',
  '',
  'NaN',
  '9'.repeat(30),
);
const header = fc.oneof(
  { weight: 3, arbitrary: lengths.map((value): [string, string] => ['Inference-Header-Content-Length', value]) },
  oneOf('gzip', 'deflate', 'br', 'gzip, gzip', 'snappy', '').map((value): [string, string] => [
    'Content-Encoding',
    value,
  ]),
  oneOf('application/json', 'application/octet-stream', 'image/png', 'application/json; charset=latin1', ';', '').map(
    (value): [string, string] => ['Content-Type', value],
  ),
  oneOf('gzip', '*;q=0', 'gzip;q=', ',,,').map((value): [string, string] => ['Accept-Encoding', value]),
  oneOf('application/json', 'x').map((value): [string, string] => ['Accept', value]),
  oneOf('0.5', '-1', 'soon').map((value): [string, string] => ['Request-Timeout', value]),
);

/** Most often none: one that is wrong hides all that comes after it. */
const headers = fc.oneof(
  { weight: 2, arbitrary: fc.constant<[string, string][]>([]) },
  fc.array(header, { maxLength: 3 }),
);

const wire: fc.Arbitrary<Wire> = fc.record({ method, path, headers, body });

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let service: InferenceUnderTest;
let server: Awaited<ReturnType<typeof listen>>;
before(async () => {
  folder = await temporaryFolder();
  await publishTiny(folder.path);
  service = await openInference(folder.path, { maximumBodyBytes: 1_000_000, maximumJsonBytes: 500_000 });
  server = await listen(service.app, '127.0.0.1', 0);
});
after(async () => {
  await server.close();
  await service.close();
  await folder.remove();
});

describe('whatever comes below /v2', () => {
  test('is answered, never as a fault of ours, and an error always as {"error"}', { timeout: 120_000 }, async () => {
    const statuses = new Map<number, number>();
    const before = process.memoryUsage().rss;
    await fc.assert(
      fc.asyncProperty(wire, async (one) => {
        const { status, contentType, text } = await exchange(server.url, one);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        assert.ok(status < 500 || status === 501 || status === 504, `${status}: ${text.slice(0, 500)}`);
        if (status < 400 || one.method === 'HEAD') return;
        assert.match(contentType, /^application\/(problem\+)?json/);
        const { error } = JSON.parse(text) as { error?: unknown };
        assert.ok(typeof error === 'string' && error.length > 0, text);
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: true },
    );
    // That it is what it says: all kinds of answers came.
    for (const status of [200, 400, 404, 405, 413, 415])
      assert.ok(statuses.has(status), `${status} among ${[...statuses.keys()].join()}`);
    assert.ok(process.memoryUsage().rss - before < 300_000_000);
    const after = await exchange(server.url, {
      method: 'GET',
      path: '/v2/health/ready',
      headers: [],
      body: Buffer.alloc(0),
    });
    assert.equal(after.status, 200);
  });
});

/** Sends a request on a connection of its own, as it is, which no client library would; resolves to its answer. */
async function exchange(url: string, { method, path, headers, body }: Wire) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined); // the server may hang up on a body that it does not want
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${lines}`);
  socket.write(`Content-Length: ${body.length}\r\n\r\n`);
  socket.write(body);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  const answer = Buffer.concat(chunks).toString('latin1');
  const end = answer.indexOf('\r\n\r\n');
  const head = answer.slice(0, end);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? NaN);
  assert.ok(status >= 200, `no answer to ${method} ${path}`);
  return { status, contentType: /content-type: (.*)/i.exec(head)?.[1] ?? '', text: answer.slice(end + 4) };
}
