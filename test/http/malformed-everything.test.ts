import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { listen } from '@atelier/http';
import { readConfig } from '@atelier/inference';
import fc from 'fast-check';
import type { ProblemDetails } from '../support/answers.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { garmentImage, pngOf } from '../support/pictures.ts';
import { publishTiny } from '../support/published-version.ts';
import { connectTo, type RawRequest } from '../support/raw-request.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Fixed, so that a failure comes again; another finds other requests. */
const SEED = 60_601;
const RUNS = 800;

const KEY = 'a-key-for-everything';
const pixels = JSON.stringify({ pixels: [[...garmentImage()]] });
const png = await pngOf(garmentImage());
const form = Buffer.concat([
  Buffer.from('--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'),
  png,
  Buffer.from('\r\n--b--\r\n'),
]);

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values);
/** Good at least as often as not: one thing that is wrong hides whatever comes after it. */
const mostly = <T>(good: fc.Arbitrary<T>, bad: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: good }, { weight: 1, arbitrary: bad });

const method = mostly(
  oneOf('GET', 'POST', 'POST', 'PUT'),
  oneOf('HEAD', 'OPTIONS', 'DELETE', 'PATCH', 'PROPFIND', 'TRACE', 'get', 'QUERY'),
);

const segment = oneOf(
  ...[
    'fashion-mlp',
    'labels',
    'rollback',
    'stable',
    '1',
    '',
    '..',
    '%2e%2e',
    '%2F',
    '%00',
    '%ff',
    '%',
    '%zz',
    '*',
    '(',
  ],
  ...['__proto__', 'constructor', 'x'.repeat(3_000), ':name', '..%2f..%2fetc%2fpasswd', '%F0%9F%91%97', ';', '@', '\\'],
);
const path = mostly(
  oneOf(
    ...['/predict', '/predict', '/predict', '/models', '/models/fashion-mlp/labels', '/models/fashion-mlp/rollback'],
    ...['/', '/healthz', '/readyz', '/startupz', '/metrics', '/openapi.json', '/docs'],
  ),
  fc.oneof(
    fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`),
    oneOf('*', '//', '/predict/', '/PREDICT', 'http://elsewhere/predict', '/docs/../../package.json', '/predict#a'),
  ),
);
const route: fc.Arbitrary<readonly [string, string]> = mostly(
  oneOf<readonly [string, string]>(
    ...[1, 2, 3, 4, 5].map(() => ['POST', '/predict'] as const),
    ...(['/', '/models', '/models/fashion-mlp/labels', '/metrics', '/docs', '/openapi.json'] as const).map(
      (known) => ['GET', known] as const,
    ),
    ...[['PUT', '/models/fashion-mlp/labels'] as const, ['POST', '/models/fashion-mlp/rollback'] as const],
  ),
  fc.tuple(method, path),
);
const parameter = fc.tuple(
  oneOf('top', 'model', 'version', 'label', 'x', '__proto__', 'top[]', 'top[a]'),
  oneOf('1', '3', '11', '0', '-1', 'NaN', '', 'fashion-mlp', 'stable', 'canary', '%ff', '9'.repeat(400), '%00', '../x'),
);
const query = mostly(
  fc.constant(''),
  fc.array(parameter, { maxLength: 4 }).map((all) => `?${all.map((one) => one.join('=')).join('&')}`),
);

type Header = [string, string];
const header: fc.Arbitrary<Header> = fc.oneof(
  ...Object.entries({
    'Content-Type': [
      ...['application/json', 'application/json; charset=utf-16', 'image/png', 'image/', 'text/plain', ';', ''],
      ...['multipart/form-data', 'multipart/form-data; boundary=b', `multipart/form-data; boundary=${'b'.repeat(200)}`],
    ],
    'Content-Encoding': ['gzip', 'deflate', 'br', 'gzip, gzip', 'identity', 'snappy', ''],
    'Request-Timeout': ['0.5', '0', '-1', 'soon', '1e9', '0.000001'],
    'X-Request-Id': ['ok', 'not ok', 'x'.repeat(1_000), '\u00ff', ''],
    traceparent: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '00-0-0-0', '\u00ff'.repeat(55)],
    Expect: ['100-continue', 'the best'],
    Origin: ['http://127.0.0.1', 'https://elsewhere.example', 'null'],
    Host: ['elsewhere.example', '[', '127.0.0.1:x'],
    Accept: ['text/html', 'x'],
    Range: ['bytes=0-1'],
    Connection: ['upgrade', 'keep-alive, x'],
    Upgrade: ['websocket', 'h2c'],
    Authorization: ['Bearer', 'Bearer wrong-wrong-wrong', 'Basic \u00ff', `Bearer ${'x'.repeat(5_000)}`],
  }).map(([name, values]) => oneOf(...values).map((value): Header => [name, value])),
);

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => Buffer.from(JSON.stringify(value)));
const whole: fc.Arbitrary<[string, Buffer]> = oneOf(
  ['application/json', Buffer.from(pixels)],
  ['image/png', png],
  ['multipart/form-data; boundary=b', form],
  ['application/json', Buffer.from(JSON.stringify({ images: [png.toString('base64')] }))],
  ['application/json', Buffer.from('{"stable":1}')],
  ['application/json', Buffer.from('{"canary":99}')],
);
const broken: fc.Arbitrary<[string, Buffer]> = fc.oneof(
  fc.tuple(whole, fc.nat(2_000)).map(([[type, body], end]): [string, Buffer] => [type, body.subarray(0, end)]),
  fc
    .tuple(whole, fc.nat(10_000), fc.nat(255))
    .map(([[type, body], place, byte]): [string, Buffer] => [type, Buffer.from(body.with(place % body.length, byte))]),
  fc.tuple(whole, json).map(([[type], body]): [string, Buffer] => [type, body]),
  fc
    .tuple(whole, fc.uint8Array({ maxLength: 200 }))
    .map(([[type], bytes]): [string, Buffer] => [type, Buffer.from(bytes)]),
  oneOf(
    ...[gzipSync(Buffer.alloc(5_000_000)), deflateSync(pixels), Buffer.from('['.repeat(50_000)), Buffer.alloc(0)].map(
      (body): [string, Buffer] => ['application/json', body],
    ),
  ),
);

const wire = fc.record({
  ...{ route, query, content: mostly(whole, broken) },
  headers: mostly(fc.constant<Header[]>([]), fc.array(header, { maxLength: 3 })),
  /** What the body is said to be long: its length, more, less, in chunks that are or are none. */
  framing: mostly(oneOf('length'), oneOf('chunked', 'bad chunks', 'more', 'less', 'both', 'none', 'negative')),
  isAuthorized: mostly(fc.constant(true), fc.constant(false)),
});
type Wire = typeof wire extends fc.Arbitrary<infer T> ? T : never;

/** A request as it goes over the wire, which no client library would send. */
function bytesOf({
  route: [method, path],
  query,
  content: [type, body],
  headers,
  framing,
  isAuthorized,
}: Wire): Buffer {
  const given: Header[] = [
    ['Host', '127.0.0.1'],
    ['Connection', 'close'],
    ['Content-Type', type],
  ];
  if (isAuthorized) given.push(['Authorization', `Bearer ${KEY}`]);
  const own = given.filter(([name]) => !headers.some(([other]) => other === name));
  const chunk = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]);
  const framings: Record<string, [Header[], Buffer]> = {
    length: [[['Content-Length', String(body.length)]], body],
    chunked: [[['Transfer-Encoding', 'chunked']], body.length === 0 ? Buffer.from('0\r\n\r\n') : chunk],
    'bad chunks': [[['Transfer-Encoding', 'chunked']], body],
    more: [[['Content-Length', String(body.length + 10)]], body],
    less: [[['Content-Length', String(Math.max(0, body.length - 10))]], body],
    both: [
      [
        ['Content-Length', String(body.length)],
        ['Transfer-Encoding', 'chunked'],
      ],
      chunk,
    ],
    none: [[], body],
    negative: [[['Content-Length', '-5']], body],
  };
  const [framed, sent] = framings[framing] ?? [[], body];
  const lines = [...own, ...headers, ...framed].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([Buffer.from(`${method} ${path}${query} HTTP/1.1\r\n${lines}\r\n`, 'latin1'), sent]);
}

/** What is answered first, whole, or all that came where the connection ends before. What comes after it is not looked at. */
async function firstAnswer(connection: RawRequest, isHead: boolean): Promise<string> {
  const received = () => connection.received().replace('HTTP/1.1 100 Continue\r\n\r\n', '');
  const whole = () => {
    const [, head = '', body = ''] = /^([^]*?)\r\n\r\n([^]*)$/.exec(received()) ?? [];
    if (head === '') return undefined;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? NaN);
    if (isHead || / (204|304) /.test(head.slice(0, 13))) return head;
    if (body.length >= length) return `${head}\r\n\r\n${body.slice(0, length)}`;
    return body.endsWith('\r\n0\r\n\r\n') ? received() : undefined;
  };
  const ended = connection.ended().then(() => true);
  while (whole() === undefined) {
    const data = once(connection.socket, 'data').then(
      () => false,
      () => false,
    );
    if (await Promise.race([ended, data])) break;
  }
  connection.destroy();
  return whole() ?? received();
}

describe('whatever is sent to any route', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: InferenceUnderTest;
  let server: Awaited<ReturnType<typeof listen>>;
  before(async () => {
    folder = await temporaryFolder();
    await publishTiny(folder.path);
    const { apiKeys } = readConfig({ INFERENCE_API_KEYS: `all=${KEY}:infer+metrics+admin` });
    service = await openInference(folder.path, { apiKeys, maximumBodyBytes: 1_000_000, maximumJsonBytes: 500_000 });
    server = await listen(service.app, '127.0.0.1', 0, { graceMs: 0, requestTimeoutMs: 1_000 });
  });
  after(async () => {
    await server.close();
    await service.close();
    await folder.remove();
  });

  test(
    'is answered, with problem details where it is refused, and never as a fault of ours',
    { timeout: 60_000 },
    async () => {
      const statuses = new Map<number, number>();
      const send = async (one: Wire) => {
        const connection = await connectTo(server.url);
        connection.write(bytesOf(one));
        if (one.framing === 'more') connection.socket.end(); // nothing more comes, whatever was announced
        const answer = await firstAnswer(connection, one.route[0] === 'HEAD');
        if (answer === '') return; // broken off by us, and so there is nobody to answer
        const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
        const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        assert.ok(status < 500 || status === 503 || status === 504, answer.slice(0, 500));
        if (status < 400 || one.route[0] === 'HEAD') return;
        assert.match(head, /\r\ncontent-type: application\/problem\+json/i);
        const problem = JSON.parse(Buffer.from(body, 'latin1').toString()) as ProblemDetails;
        assert.equal(problem.status, status);
        assert.match(problem.type, /^\/problems\/[a-z-]+$/);
      };
      await fc.assert(fc.asyncProperty(wire, send), { seed: SEED, numRuns: RUNS, endOnFailure: true });
      for (const status of [200, 204, 400, 401, 403, 404, 405, 413, 415, 422]) {
        assert.ok(statuses.has(status), `${status} came among ${[...statuses].join(' ')}`);
      }
      assert.doesNotMatch(service.text(), /"level":(50|60)/);
      assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
      const answer = await fetch(`${server.url}/predict`, {
        ...{
          method: 'POST',
          body: pixels,
          headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${KEY}` },
        },
      });
      assert.equal(answer.status, 200);
    },
  );
});
