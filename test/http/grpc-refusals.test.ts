import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { DomainError, PIXELS_PER_IMAGE } from '@atelier/domain';
import { RetryLater } from '@atelier/http';
import type { Outputs, PredictOptions } from '@atelier/inference';
import { status as STATUS } from '@grpc/grpc-js';
import { failureOf, GrpcClient } from '../support/grpc-client.ts';
import { randomImage } from '../support/published-version.ts';
import { firstPixels, rawRequest, type StubGrpcService, stubGrpcService } from '../support/stub-grpc-service.ts';
import { until } from '../support/until.ts';

let service: StubGrpcService;
before(async () => {
  service = await stubGrpcService();
});
beforeEach(() => {
  service.predict = async (images) => firstPixels(images);
});
after(() => service.close());

const image = randomImage(1);
const infer = (request: object, settings = {}) => service.client.call('ModelInfer', request, settings);
const typed = (input: object) => ({
  model_name: 'm',
  inputs: [{ name: 'image', datatype: 'UINT8', shape: [1, 28, 28], ...input }],
});

describe('a request that is not right', () => {
  const pixels = [...image];
  const cases: [string, object, RegExp][] = [
    ['no inputs', { model_name: 'm' }, /Expected the input "image"/],
    ['an input without contents', typed({}), /neither contents nor raw_input_contents/],
    ['a name that is cut inside a character', typed({ name: `${'x'.repeat(63)}\u{1F600}` }), /neither contents/],
    [
      'typed and raw together',
      { ...typed({ contents: { uint_contents: pixels } }), raw_input_contents: [image] },
      /either/,
    ],
    [
      'more raw contents than inputs',
      rawRequest(image, { raw_input_contents: [image, image] }),
      /2 raw_input_contents/,
    ],
    ['raw contents and no inputs', rawRequest(image, { inputs: [] }), /1 raw_input_contents came for 0 inputs/],
    ['raw contents too short', rawRequest(image, { raw_input_contents: [image.subarray(1)] }), /783 bytes/],
    ['raw contents too long', rawRequest(image, { raw_input_contents: [Buffer.alloc(785)] }), /785 bytes/],
    ['typed contents too short', typed({ contents: { uint_contents: pixels.slice(1) } }), /783 elements/],
    ['elements of another datatype', typed({ contents: { fp32_contents: pixels } }), /fp32_contents.*uint_contents/],
    [
      'elements of two datatypes',
      typed({ contents: { uint_contents: pixels, bool_contents: [true] } }),
      /bool_contents/,
    ],
    [
      'a datatype that the model does not take',
      typed({ datatype: 'INT64', contents: { int64_contents: pixels } }),
      /INT64/,
    ],
    ['a datatype that nobody knows', typed({ datatype: 'toString', contents: {} }), /"toString", which the protocol/],
    ['a negative size', typed({ shape: [-1, 28, 28], contents: { uint_contents: pixels } }), /size of -1/],
    [
      'sizes whose product overflows',
      typed({ shape: [2 ** 40, 2 ** 40], contents: { uint_contents: pixels } }),
      /has shape/,
    ],
    ['no images', typed({ shape: [0, 28, 28], contents: {} }), /no images/],
    [
      'a pixel out of range',
      typed({ contents: { uint_contents: pixels.with(0, 256) } }),
      /256; expected whole numbers/,
    ],
    ['a number that is none', typed({ datatype: 'FP32', contents: { fp32_contents: pixels.with(0, NaN) } }), /NaN/],
    ['a strange input', typed({ name: 'x\u{1F600}', contents: {} }), /no input/],
    ['a long strange input', typed({ name: `${'x'.repeat(63)}${'\u{1F600}'.repeat(900)}`, contents: {} }), /no input/],
    ['a strange output', rawRequest(image, { outputs: [{ name: 'nope' }] }), /no output "nope"/],
    [
      'a broken BYTES',
      rawRequest(Buffer.alloc(3), { inputs: [{ name: 'image', datatype: 'BYTES', shape: [1] }] }),
      /cut short/,
    ],
    ['a timeout that is no number', rawRequest(image, { parameters: { timeout: { string_param: '1' } } }), /"timeout"/],
  ];
  for (const [what, request, words] of cases) {
    test(`with ${what} is INVALID_ARGUMENT, and is told why`, async () => {
      const answer = infer(request, { deadlineMs: 10_000 });
      const { details } = await failureOf(answer, 'INVALID_ARGUMENT', 'invalid-request');
      assert.match(details, words);
      assert.ok(details.length <= 500);
    });
  }

  test('that is no message is INVALID_ARGUMENT', async () => {
    await failureOf(infer(Buffer.from([0x0a, 0x7f, 0x41])), 'INVALID_ARGUMENT', 'malformed-body');
    const whole = messageOf(Buffer.from(image));
    await failureOf(infer(whole.subarray(0, -1)), 'INVALID_ARGUMENT', 'malformed-body');
    await infer(whole);
  });

  test('never makes an internal error, whatever byte of it is changed', async () => {
    const picture = Buffer.from(image);
    for (let place = 0; place < 90; place++) {
      const message = messageOf(picture);
      message[place] = (message[place] ?? 0) ^ (1 << (place % 8));
      await infer(message).catch(({ code }: { code: STATUS }) =>
        assert.notEqual(code, STATUS.INTERNAL, `byte ${place}`),
      );
    }
  });

  test('whose picture cannot be decoded is INVALID_ARGUMENT', async () => {
    const input = {
      name: 'image',
      datatype: 'BYTES',
      shape: [1],
      contents: { bytes_contents: [Buffer.from('GIF89a')] },
    };
    await failureOf(infer({ model_name: 'm', inputs: [input] }), 'INVALID_ARGUMENT', 'undecodable-image');
  });

  test('for a model or a version that is not there is NOT_FOUND', async () => {
    await failureOf(infer(rawRequest(image, { model_name: 'n' })), 'NOT_FOUND', 'model-not-found');
    await failureOf(infer(rawRequest(image, { model_version: '9' })), 'NOT_FOUND', 'model-not-found');
    await failureOf(infer(rawRequest(image, { model_version: 'newest' })), 'NOT_FOUND', 'model-not-found');
    for (const method of ['ModelReady', 'ModelMetadata', 'ModelConfig', 'ModelStatistics']) {
      await failureOf(service.client.call(method, { name: 'n' }), 'NOT_FOUND', 'model-not-found');
    }
    await failureOf(service.client.call('RepositoryModelLoad', { model_name: 'n' }), 'NOT_FOUND', 'model-not-found');
  });

  test('with parameters or a repository that we do not know is refused', async () => {
    const parameters = { 'file:1/model.onnx': { bytes_param: Buffer.from('x') } };
    const load = (request: object) => service.client.call('RepositoryModelLoad', request);
    await failureOf(load({ model_name: 'm', parameters }), 'UNIMPLEMENTED', 'unsupported-feature');
    await failureOf(load({ model_name: 'm', repository_name: 'r' }), 'UNIMPLEMENTED', 'unsupported-feature');
    await failureOf(service.client.call('RepositoryIndex', { repository_name: 'r' }), 'UNIMPLEMENTED');
    await failureOf(load({ model_name: '../m' }), 'NOT_FOUND', 'model-not-found');
  });
});

describe('a message that is too large', () => {
  const large = (bytes: number) => rawRequest(image, { raw_input_contents: [Buffer.alloc(bytes)] });

  test('is RESOURCE_EXHAUSTED, also where it is so only after decompression', async (t) => {
    await failureOf(infer(large(1024 * 1024)), 'RESOURCE_EXHAUSTED');
    const { details } = await failureOf(
      infer(rawRequest(new Uint8Array(257 * PIXELS_PER_IMAGE))),
      'RESOURCE_EXHAUSTED',
    );
    assert.match(details, /257 images/);
    const compressing = new GrpcClient(service.address, { compressed: true });
    t.after(() => compressing.close());
    const zeros = Buffer.alloc(8 * 1024 * 1024);
    const inflated = await failureOf(compressing.call('ModelInfer', zeros), 'RESOURCE_EXHAUSTED');
    assert.match(inflated.details, /decompresses/);
  });

  test('is so by what it would become, too', async () => {
    const emptyInputs = Buffer.from('2a00'.repeat(20_000), 'hex');
    await failureOf(infer(emptyInputs), 'RESOURCE_EXHAUSTED', 'payload-too-large');
    const numbers = typed({ contents: { uint_contents: Array(600_000).fill(1) } });
    await failureOf(infer(numbers), 'RESOURCE_EXHAUSTED', 'payload-too-large');
  });
});

test('where there is no room a call is refused before its message is read', async (t) => {
  service.admit = () => {
    throw new RetryLater('overloaded', 'Many wait.', 3);
  };
  t.after(() => (service.admit = () => undefined));
  const { metadata } = await failureOf(infer(Buffer.alloc(100, 0xff)), 'RESOURCE_EXHAUSTED', 'overloaded');
  assert.deepEqual(metadata.get('retry-after'), ['3']);
  await service.client.call('ModelMetadata', { name: 'm' });
});

describe('a prediction that fails', () => {
  const failing = (error: Error) => {
    service.predict = () => Promise.reject(error);
    return infer(rawRequest(image));
  };

  for (const [code, status] of [
    ['not-ready', 'UNAVAILABLE'],
    ['shutting-down', 'UNAVAILABLE'],
    ['engine-lost', 'UNAVAILABLE'],
    ['overloaded', 'RESOURCE_EXHAUSTED'],
  ] as const) {
    test(`with ${code} is ${status}, and says when to come back`, async () => {
      const { details, metadata } = await failureOf(failing(new RetryLater(code, 'Words.', 7)), status, code);
      assert.equal(details, 'Words.');
      assert.deepEqual(metadata.get('retry-after'), ['7']);
    });
  }

  for (const [code, status] of [
    ['deadline-exceeded', 'DEADLINE_EXCEEDED'],
    ['engine-fault', 'INTERNAL'],
  ] as const) {
    test(`with ${code} is ${status}`, async () => {
      const { details, metadata } = await failureOf(failing(new DomainError(code, 'Words.')), status, code);
      assert.equal(details, 'Words.');
      assert.deepEqual(metadata.get('retry-after'), []);
    });
  }

  test('of which nobody thought is INTERNAL, and its words are in the log only', async () => {
    const failure = failing(new TypeError('secret words'));
    const { details, metadata } = await failureOf(failure, 'INTERNAL', 'internal');
    assert.equal(details, 'Internal error');
    const line = service.lines.find(({ msg }) => msg === 'secret words');
    assert.equal(line?.['requestId'], metadata.get('x-request-id')[0]);
    await failureOf(failing(new DomainError('dataset-corrupt', 'Words.')), 'INTERNAL', 'internal');
  });
});

describe('a client that does not wait', () => {
  /** Predicts when it is given up, and says how it was asked. */
  function hanging(): Promise<PredictOptions> {
    return new Promise((asked) => {
      service.predict = (_images, options) =>
        new Promise<Outputs>((_resolve, reject) => {
          options.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error));
          asked(options);
        });
    });
  }

  test('and has a deadline: the prediction knows it, and is given up when it has passed', async () => {
    const asked = hanging();
    const call = failureOf(infer(rawRequest(image), { deadlineMs: 300 }), 'DEADLINE_EXCEEDED');
    const { signal, deadline = NaN } = await asked;
    assert.ok(deadline - performance.now() <= 300, `${deadline - performance.now()} ms are left`);
    await call;
    await until('the prediction is given up', () => signal?.aborted === true);
  });

  test('and has a shorter timeout in its parameters: that one counts', async () => {
    const asked = hanging();
    const request = rawRequest(image, { parameters: { timeout: { int64_param: 1_000_000 } } });
    const controller = new AbortController();
    const call = failureOf(infer(request, { deadlineMs: 60_000, signal: controller.signal }), 'CANCELLED');
    const { deadline = NaN } = await asked;
    assert.ok(deadline - performance.now() <= 1000);
    controller.abort();
    await call;
  });

  test('and cancels: the prediction is given up', async () => {
    const asked = hanging();
    const controller = new AbortController();
    const call = failureOf(infer(rawRequest(image), { signal: controller.signal }), 'CANCELLED');
    const { signal } = await asked;
    assert.equal(signal?.aborted, false);
    controller.abort();
    await call;
    await until('the prediction is given up', () => signal.aborted);
  });
});

/** A request whose bytes stand here one by one: the schema's own encoder has no part in it. */
function messageOf(picture: Buffer): Buffer {
  const input = Buffer.concat([field(1, 'image'), field(2, 'UINT8'), field(3, Buffer.from([1, 28, 28]))]);
  return Buffer.concat([field(1, 'm'), field(5, input), field(7, picture)]);
}

function field(number: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}
