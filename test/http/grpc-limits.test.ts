import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants } from 'node:http2';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { PIXELS_PER_IMAGE } from '@atelier/domain';
import { BodyBudget, BodyLease } from '@atelier/http';
import { readConfig, startInference } from '@atelier/inference';
import { type MethodDefinition, type ServiceDefinition, status as STATUS } from '@grpc/grpc-js';
import { failureOf, GrpcClient, SCHEMA } from '../support/grpc-client.ts';
import { randomImage } from '../support/published-version.ts';
import { http2Session, RawGrpcCall } from '../support/raw-grpc-call.ts';
import { connectTo, headOf } from '../support/raw-request.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { firstPixels, rawRequest, stubGrpcService } from '../support/stub-grpc-service.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

const INFER = '/inference.GRPCInferenceService/ModelInfer';
const LIVE = '/inference.GRPCInferenceService/ServerLive';
const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const image = randomImage(1);
/** Of more than 3,136 bytes. */
const fourImages = rawRequest(Buffer.concat([image, image, image, image]));
const { requestSerialize } = (SCHEMA['inference.GRPCInferenceService'] as ServiceDefinition)[
  'ModelInfer'
] as MethodDefinition<object, object>;

describe('connections', { timeout: 20_000 }, () => {
  test('above the maximum are closed as they come, and the others are served', async (t) => {
    const service = await stubGrpcService({ maximumConnections: 2 });
    t.after(() => service.close());
    await service.client.call('ServerLive', {});
    const [host = '', port = ''] = service.address.split(':');
    const second = connect(Number(port), host);
    t.after(() => second.destroy());
    await once(second, 'connect');
    // Not a client of gRPC, which would try again by itself.
    const call = () => new RawGrpcCall(http2Session(t, service.address), LIVE).send(Buffer.alloc(0)).end().outcome();
    assert.deepEqual(await call(), {});
    assert.ok(service.lines.some(({ msg }) => msg.startsWith('More than 2 connections')));
    await service.client.call('ServerLive', {});
    second.destroy();
    await until('there is room', async () => (await call())['grpc-status'] === '0');
  });

  test('without a call are ended, and those with one are not', async (t) => {
    const service = await stubGrpcService({ keepAliveMs: 100 });
    t.after(() => service.close());
    const busy = http2Session(t, service.address);
    const call = new RawGrpcCall(busy, LIVE);
    const [host = '', port = ''] = service.address.split(':');
    const silent = connect(Number(port), host);
    silent.resume();
    await once(silent, 'close');
    assert.equal((await call.send(Buffer.alloc(0)).end().outcome())['grpc-status'], '0');
  });
});

describe('messages that are held together', { timeout: 20_000 }, () => {
  test('are refused where there is no room, whatever holds it, until it is given back', async (t) => {
    const bodies = new BodyBudget(10_000);
    const service = await stubGrpcService({ bodies });
    t.after(() => service.close());
    const session = http2Session(t, service.address);
    const first = new RawGrpcCall(session, LIVE).send(Buffer.alloc(9_000), { sent: 8_000 });
    await until('it has come', () => bodies.held > 8_000);
    const refused = service.client.call('ModelInfer', fourImages);
    const { metadata } = await failureOf(refused, 'RESOURCE_EXHAUSTED', 'overloaded');
    assert.deepEqual(metadata.get('retry-after'), ['1']);
    first.stream.close(constants.NGHTTP2_CANCEL);
    await until('its room is given back', () => bodies.held === 0);
    await service.client.call('ModelInfer', fourImages);
    await until('an answer gives its room back', () => bodies.held === 0);
  });

  test('are the bodies of HTTP as well', async (t) => {
    const folder = await temporaryFolder();
    const environment = { MODELS_DIR: folder.path, INFERENCE_PORT: '0', INFERENCE_GRPC_PORT: '0', DEVICE: 'cpu' };
    const config = readConfig({ ...environment, INFERENCE_MAX_BODIES_BYTES: '10000' });
    const service = await startInference(config, recordedLog().log);
    const client = new GrpcClient(service.grpcAddress ?? '');
    const connection = await connectTo(service.url);
    t.after(async () => {
      connection.destroy();
      client.close();
      await service.close(0);
      await folder.remove();
    });
    await service.settled;
    const large = { name: 'x'.repeat(4_000) };
    await failureOf(client.call('ModelMetadata', large), 'NOT_FOUND');
    connection.write(headOf('/v2/repository/index', 9_000, { 'Content-Type': 'application/json' }) + '{'.padEnd(8_000));
    await until('they are refused', async () => {
      const error = await client.call('ModelMetadata', large).catch((failure: { code: STATUS }) => failure);
      return (error as { code: STATUS }).code === STATUS.RESOURCE_EXHAUSTED;
    });
  });

  test('count as they are decompressed, one after the other, and not as they come', async (t) => {
    const bodies = new BodyBudget(200_000);
    const service = await stubGrpcService({ bodies });
    t.after(() => service.close());
    let release: () => void = () => assert.fail('nobody predicts');
    service.predict = async (images) => {
      await new Promise<void>((resolve) => (release = resolve));
      return firstPixels(images);
    };
    const message = gzipSync(requestSerialize(rawRequest(Buffer.alloc(200 * PIXELS_PER_IMAGE))));
    assert.ok(message.length < 2_000);
    const session = http2Session(t, service.address);
    const call = () =>
      new RawGrpcCall(session, INFER, { 'grpc-encoding': 'gzip' }).send(message, { compressed: true }).end();
    const first = call();
    await until('it is decompressed', () => bodies.held > 150_000);
    assert.equal((await call().outcome())['x-error-code'], 'overloaded');
    release();
    assert.equal((await first.outcome())['grpc-status'], '0');
  });

  test('give their room back also where their client leaves while they are decompressed', async (t) => {
    const bodies = new BodyBudget(1024 * 1024);
    const service = await stubGrpcService({ bodies });
    t.after(() => service.close());
    const message = gzipSync(requestSerialize(rawRequest(Buffer.alloc(200 * PIXELS_PER_IMAGE))));
    const session = http2Session(t, service.address);
    const call = () =>
      new RawGrpcCall(session, INFER, { 'grpc-encoding': 'gzip' }).send(message, { compressed: true }).end();
    const left = [call(), call(), call()];
    while (bodies.held === 0) await new Promise(setImmediate);
    for (const { stream } of left) stream.close(constants.NGHTTP2_CANCEL);
    assert.equal((await call().outcome())['grpc-status'], '0'); // behind them, so that theirs are done
    await until('nothing is held', () => bodies.held === 0);
  });

  test('that the library decompresses count as what they could become', async (t) => {
    const bodies = new BodyBudget(200_000);
    new BodyLease(bodies).take(1);
    const service = await stubGrpcService({ bodies });
    t.after(() => service.close());
    const call = new RawGrpcCall(http2Session(t, service.address), '/grpc.health.v1.Health/Check', {
      'grpc-encoding': 'gzip',
    });
    call.send(gzipSync(Buffer.alloc(400_000)), { compressed: true }).end();
    assert.equal((await call.outcome())['x-error-code'], 'overloaded');
  });

  test('of a stream are held one at a time', async (t) => {
    const bodies = new BodyBudget(10_000);
    const service = await stubGrpcService({ bodies });
    t.after(() => service.close());
    const call = new RawGrpcCall(http2Session(t, service.address), REFLECTION);
    const listServices = Buffer.from([0x3a, 0x00]);
    let answers = 0;
    call.stream.on('data', () => answers++);
    for (let each = 1; each <= 3; each++) {
      call.send(listServices);
      await until('it is answered', () => answers >= each);
      assert.equal(bodies.held, 0);
    }
    call.send(Buffer.alloc(9_000), { sent: 5_000 });
    await until('it has come', () => bodies.held > 5_000);
    call.stream.close(constants.NGHTTP2_CANCEL);
    await until('its room is given back', () => bodies.held === 0);
  });
});

test('a stream that asks without end and reads no answer is ended', { timeout: 20_000 }, async (t) => {
  const service = await stubGrpcService({ stalledMs: 100 });
  t.after(() => service.close());
  const call = new RawGrpcCall(http2Session(t, service.address, 0), REFLECTION);
  for (let asked = 0; asked < 1_000; asked++) call.send(Buffer.from([0x3a, 0x00]));
  await call.outcome({ unread: true });
  assert.equal(call.stream.rstCode, constants.NGHTTP2_CANCEL);
  await service.client.call('ServerLive', {});
});

describe('a call that is refused while its message comes', { timeout: 20_000 }, () => {
  test('is reset, so that nothing of it is held', async (t) => {
    const bodies = new BodyBudget(10_000);
    const service = await stubGrpcService({ bodies, maximumBodyBytes: 5_000 });
    t.after(() => service.close());
    const session = http2Session(t, service.address);
    const large = await new RawGrpcCall(session, LIVE).send(Buffer.alloc(5_001), { sent: 10 }).outcome();
    assert.deepEqual([large['grpc-status'], large['x-error-code']], ['8', 'payload-too-large']);
    const two = new RawGrpcCall(session, LIVE).send(Buffer.alloc(0)).send(Buffer.alloc(0));
    const outcome = await two.outcome();
    assert.deepEqual([outcome['grpc-status'], outcome['x-error-code']], ['3', 'malformed-body']);
    assert.equal(bodies.held, 0);
  });

  for (const [what, encoding, status, code] of [
    ['is not compressed as it says', 'gzip', '3', 'malformed-body'],
    ['is compressed as nobody here can read', 'br', '12', 'unsupported-feature'],
  ] as const) {
    test(`because it ${what} is told so`, async (t) => {
      const service = await stubGrpcService();
      t.after(() => service.close());
      const call = new RawGrpcCall(http2Session(t, service.address), LIVE, { 'grpc-encoding': encoding });
      const outcome = await call.send(Buffer.from('nonsense'), { compressed: true }).end().outcome();
      assert.deepEqual([outcome['grpc-status'], outcome['x-error-code']], [status, code]);
    });
  }

  test('because it does not arrive is not waited for, also where a stream shall answer, or is asked again', async (t) => {
    const service = await stubGrpcService({ arrivalLimitMs: 50 });
    t.after(() => service.close());
    const session = http2Session(t, service.address);
    for (const path of ['/grpc.health.v1.Health/Watch', REFLECTION]) {
      const call = new RawGrpcCall(session, path).send(Buffer.alloc(100), { sent: 10 });
      assert.equal((await call.outcome())['grpc-status'], String(STATUS.DEADLINE_EXCEEDED), path);
    }
  });
});

test('an answer that nobody reads is given up, and its message with it', { timeout: 20_000 }, async (t) => {
  const bodies = new BodyBudget(10_000);
  const service = await stubGrpcService({ bodies, stalledMs: 100 });
  t.after(() => service.close());
  const call = new RawGrpcCall(http2Session(t, service.address, 0), INFER);
  await call.send(requestSerialize(fourImages)).end().outcome({ unread: true });
  assert.equal(call.stream.rstCode, constants.NGHTTP2_CANCEL);
  await until('its room is given back', () => bodies.held === 0);
});

test('a timeout of more than a day is no deadline, however long it is', { timeout: 20_000 }, async (t) => {
  const service = await stubGrpcService();
  t.after(() => service.close());
  const asked: (number | undefined)[] = [];
  service.predict = async (images, { deadline }) => {
    asked.push(deadline);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return firstPixels(images);
  };
  const session = http2Session(t, service.address);
  // 25 days are less than 0 ms in 32 bits, 50 days are 7 hours, and the last is what clients send that would wait for ever.
  for (const timeout of ['25H', '2160000S', '72000M', '4320000S', '99999999H', '60S']) {
    const call = new RawGrpcCall(session, INFER, { 'grpc-timeout': timeout });
    const outcome = await call
      .send(requestSerialize(rawRequest(image)))
      .end()
      .outcome();
    assert.equal(outcome['grpc-status'], '0', timeout);
  }
  const last = asked.pop() ?? NaN;
  assert.ok(last - performance.now() <= 60_000, 'a shorter one is a deadline');
  assert.deepEqual(asked, Array(5).fill(undefined));
});
