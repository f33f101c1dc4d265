import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { ApiKeys, inferenceAccess, readConfig, startInference } from '@atelier/inference';
import { type ClientReadableStream, Metadata, type ServiceDefinition, status as STATUS } from '@grpc/grpc-js';
import { service as HEALTH } from 'grpc-health-check';
import sharp from 'sharp';
import { failureOf, GrpcClient } from '../support/grpc-client.ts';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { servedOverGrpc } from '../support/served-over-grpc.ts';
import { firstPixels, rawRequest, stubGrpcService } from '../support/stub-grpc-service.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

const NAMES = ['', 'inference.GRPCInferenceService'];
const image = randomImage(1);

function healthClient(address: string): GrpcClient {
  return new GrpcClient(address, { service: HEALTH });
}

async function check(client: GrpcClient, service = ''): Promise<string> {
  return (await client.call<{ status: string }>('Check', { service })).status;
}

/** What somebody who watches is told, one after the other. */
function watch(client: GrpcClient): { told: string[]; stream: ClientReadableStream<{ status: string }> } {
  const { path, requestSerialize, responseDeserialize } = (HEALTH as ServiceDefinition)['Watch'] ?? assert.fail();
  const stream = client.connection.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize as (bytes: Buffer) => { status: string },
    { service: '' },
  );
  const told: string[] = [];
  stream.on('data', ({ status }: { status: string }) => told.push(status));
  stream.on('error', () => undefined);
  return { told, stream };
}

describe('grpc.health.v1', () => {
  test('tells of the server and of its service, and that there is no other', async (t) => {
    const service = await stubGrpcService();
    t.after(() => service.close());
    const client = healthClient(service.address);
    t.after(() => client.close());
    for (const name of NAMES) assert.equal(await check(client, name), 'SERVING');
    service.ready = false;
    for (const name of NAMES) assert.equal(await check(client, name), 'NOT_SERVING');
    assert.deepEqual(await service.client.call('ServerReady', {}), { ready: false });
    assert.deepEqual(await service.client.call('ServerLive', {}), { live: true });
    await failureOf(client.call('Check', { service: 'x'.repeat(100_000) }), 'NOT_FOUND');
  });

  test('tells those who watch of each change, and of the end', async (t) => {
    const service = await stubGrpcService();
    const client = healthClient(service.address);
    t.after(() => client.close());
    const { told, stream } = watch(client);
    await until('the first word', () => told.length === 1);
    service.ready = false;
    await until('the second word', () => told.length === 2);
    service.ready = true;
    await until('the third word', () => told.length === 3);
    service.ready = false;
    const ended = once(stream, 'error');
    await service.close();
    const [{ code }] = (await ended) as [{ code: STATUS }];
    assert.equal(code, STATUS.UNAVAILABLE);
    assert.deepEqual(told, ['SERVING', 'NOT_SERVING', 'SERVING', 'NOT_SERVING']);
  });
});

describe('a service that stops', () => {
  test('answers the calls in flight, and takes no more', async () => {
    const service = await stubGrpcService();
    let release: () => void = () => assert.fail('nobody predicts');
    let predicting = 0;
    service.predict = async (images) => {
      predicting++;
      await new Promise<void>((resolve) => (release = resolve));
      return firstPixels(images);
    };
    const inFlight = service.client.call('ModelInfer', rawRequest(image));
    await until('the call is in flight', () => predicting === 1);
    const closed = service.closeServer();
    await failureOf(service.client.call('ModelInfer', rawRequest(image)), 'UNAVAILABLE');
    release();
    await inFlight;
    await closed;
    service.client.close();
  });

  test('cuts off what is not answered within the grace period', async () => {
    const service = await stubGrpcService({ graceMs: 100 });
    let given: unknown;
    service.predict = (_images, { signal }) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject((given = signal.reason) as Error));
      });
    const hanging = service.client.call('ModelInfer', rawRequest(image));
    hanging.catch(() => undefined);
    await until('the call is in flight', async () => (await service.client.call('ServerLive', {})) !== null);
    await service.close();
    await assert.rejects(hanging);
    await until('the prediction is given up', () => given instanceof DomainError);
  });

  test('is unready before it is gone, over gRPC as over HTTP, and its end takes no grace period', async (t) => {
    const folder = await temporaryFolder();
    t.after(() => folder.remove());
    await publishTiny(folder.path);
    const settings = {
      MODELS_DIR: folder.path,
      INFERENCE_PORT: '0',
      INFERENCE_GRPC_PORT: '0',
      INFERENCE_GRACE_MS: '400',
    };
    const service = await startInference(readConfig(settings), recordedLog().log);
    await service.settled;
    const client = healthClient(service.grpcAddress ?? '');
    t.after(() => client.close());
    const { told, stream } = watch(client);
    await until('the first word', () => told.length === 1);
    const ended = once(stream, 'error');
    await service.close();
    await ended;
    assert.deepEqual(told, ['SERVING', 'NOT_SERVING']);
    await failureOf(check(client), 'UNAVAILABLE');
  });

  test('says which address it cannot have, and has left everything else', async (t) => {
    const service = await stubGrpcService();
    t.after(() => service.close());
    const folder = await temporaryFolder();
    t.after(() => folder.remove());
    const [, port = ''] = service.address.split(':');
    const settings = { MODELS_DIR: folder.path, INFERENCE_PORT: '0', INFERENCE_GRPC_PORT: port };
    await assert.rejects(startInference(readConfig(settings), recordedLog().log), {
      code: 'address-unavailable',
      message: new RegExp(`127\\.0\\.0\\.1:${port}: .*EADDRINUSE`),
    });
  });
});

describe('keys', () => {
  const access = inferenceAccess(
    ApiKeys.parse('reader-0123456789:infer,keeper-0123456789:admin,owner-0123456789:infer+metrics+admin'),
  );
  const bearer = (key: string) => ({ metadata: { authorization: `Bearer ${key}-0123456789` } });

  test('are wanted for everything but the question whether the service lives', async (t) => {
    const service = await stubGrpcService({ access });
    t.after(() => service.close());
    const client = healthClient(service.address);
    t.after(() => client.close());
    assert.equal(await check(client), 'SERVING');
    for (const method of ['ServerLive', 'ServerReady']) await service.client.call(method, {});
    for (const [method, request, ...scopes] of [
      ['ModelInfer', rawRequest(image), 'infer'],
      ['ServerMetadata', {}, 'infer'],
      ['ModelMetadata', { name: 'm' }, 'infer'],
      ['ModelConfig', { name: 'm' }, 'infer'],
      ['RepositoryIndex', {}, 'infer', 'admin'],
      ['ModelStatistics', {}, 'infer'],
      ['ModelReady', { name: 'm' }, 'infer'],
      ['RepositoryModelUnload', { model_name: 'm' }, 'admin'],
    ] as const) {
      await failureOf(service.client.call(method, request), 'UNAUTHENTICATED', 'unauthorized');
      await failureOf(service.client.call(method, request, bearer('other')), 'UNAUTHENTICATED', 'unauthorized');
      await service.client.call(method, request, bearer('owner'));
      for (const [key, scope] of [
        ['reader', 'infer'],
        ['keeper', 'admin'],
      ] as const) {
        const called = service.client.call(method, request, bearer(key));
        if ((scopes as readonly string[]).includes(scope)) await called;
        else await failureOf(called, 'PERMISSION_DENIED', 'forbidden');
      }
    }
  });

  test('are looked at before the message is read', async (t) => {
    const service = await stubGrpcService({ access });
    t.after(() => service.close());
    await failureOf(service.client.call('ModelInfer', Buffer.alloc(100, 0xff)), 'UNAUTHENTICATED');
  });
});

describe('what is no call', () => {
  test('is UNIMPLEMENTED, also for methods of Triton that are not here', async (t) => {
    const service = await stubGrpcService();
    t.after(() => service.close());
    const identity = (bytes: Buffer) => bytes;
    for (const path of ['/inference.GRPCInferenceService/ModelStreamInfer', '/nobody/Knows']) {
      const call = new Promise((resolve, reject) => {
        service.client.connection.makeUnaryRequest(
          path,
          identity,
          identity,
          Buffer.alloc(0),
          new Metadata(),
          (error, answer) => {
            if (error === null) resolve(answer);
            else reject(error);
          },
        );
      });
      await failureOf(call, 'UNIMPLEMENTED');
    }
  });

  test('does not harm the service', async (t) => {
    const service = await stubGrpcService();
    t.after(() => service.close());
    const [host = '', port = ''] = service.address.split(':');
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'; // RFC 9113, section 3.4
    for (const noise of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\0'.repeat(1000), preface + '\xff'.repeat(100)]) {
      const socket = connect(Number(port), host);
      socket.on('error', () => undefined);
      socket.write(noise, 'latin1');
      socket.resume();
      await once(socket, 'close');
    }
    assert.deepEqual(await service.client.call('ServerLive', {}), { live: true });
  });

  test('and a message that does not arrive is not waited for', async (t) => {
    const service = await stubGrpcService({ arrivalLimitMs: 50 });
    t.after(() => service.close());
    await failureOf(callWithoutMessage(service.client), 'DEADLINE_EXCEEDED', 'deadline-exceeded');
  });

  test('for as long as a request over HTTP may take to arrive', { timeout: 20_000 }, async (t) => {
    const { client } = await servedOverGrpc(t, { INFERENCE_REQUEST_TIMEOUT_MS: '100' });
    await failureOf(callWithoutMessage(client), 'DEADLINE_EXCEEDED', 'deadline-exceeded');
  });
});

test(
  'a call in flight is answered when the service stops, whatever its grace period',
  { timeout: 20_000 },
  async (t) => {
    const folder = await temporaryFolder();
    await publishTiny(folder.path);
    const environment = { MODELS_DIR: folder.path, INFERENCE_PORT: '0', INFERENCE_GRPC_PORT: '0', DEVICE: 'cpu' };
    const config = readConfig({ ...environment, INFERENCE_GRACE_MS: '0', INFERENCE_WORKERS: '1' });
    const service = await startInference(config, recordedLog().log);
    const client = new GrpcClient(service.grpcAddress ?? '');
    t.after(async () => {
      client.close();
      await service.close();
      await folder.remove();
    });
    await service.settled;
    const size = { width: 3000, height: 3000 };
    const large = await sharp({ create: { ...size, channels: 3, background: 'white' } })
      .png()
      .toBuffer();
    const inputs = [
      { name: 'image', datatype: 'BYTES', shape: [4], contents: { bytes_contents: Array<Buffer>(4).fill(large) } },
    ];
    const answer = client.call<{ outputs: object[] }>('ModelInfer', { model_name: 'fashion-mlp', inputs });
    answer.catch(() => undefined);
    const isDecoding = async () =>
      /^decoding_pictures [1-9]/m.test(await (await fetch(`${service.url}/metrics`)).text());
    await until('it is decoded', isDecoding);
    await service.close();
    assert.equal((await answer).outputs.length, 2);
  },
);

/** Opens a call and sends nothing. */
function callWithoutMessage(client: GrpcClient): Promise<unknown> {
  const identity = (bytes: Buffer) => bytes;
  const path = '/inference.GRPCInferenceService/ServerLive';
  return new Promise((resolve, reject) => {
    client.connection.makeClientStreamRequest(path, identity, identity, new Metadata(), (error, answer) => {
      if (error === null) resolve(answer);
      else reject(error);
    });
  });
}
