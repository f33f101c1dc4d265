import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CLASS_NAMES } from '@atelier/domain';
import { PREPROCESSING, readConfig, type RunningInference, startInference } from '@atelier/inference';
import type { PublishedVersion } from '@atelier/model-repository';
import { failureOf, GrpcClient } from '../support/grpc-client.ts';
import { pngOf } from '../support/pictures.ts';
import { publishTiny, randomImage, tinyClassifier } from '../support/published-version.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface InferResponse {
  model_name: string;
  model_version: string;
  id: string;
  outputs: {
    name: string;
    datatype: string;
    shape: number[];
    contents: { fp32_contents: number[]; bytes_contents: Buffer[] } | null;
  }[];
  raw_output_contents: Buffer[];
}

const name = 'fashion-mlp';
const { probabilities } = tinyClassifier({ seed: 1 });
const { log, lines } = recordedLog();
let published: PublishedVersion;
let service: RunningInference;
let client: GrpcClient;
let removeFolder: () => Promise<void>;

before(async () => {
  const folder = await temporaryFolder();
  removeFolder = () => folder.remove();
  published = await publishTiny(folder.path, { seed: 1 });
  const settings = {
    MODELS_DIR: folder.path,
    INFERENCE_PORT: '0',
    INFERENCE_GRPC_PORT: '0',
    INFERENCE_MAX_WAIT_MS: '60000', // 200 calls at once may come to a busy machine
    INFERENCE_GRACE_MS: '0',
  };
  service = await startInference(readConfig(settings), log);
  await service.settled;
  client = new GrpcClient(service.grpcAddress ?? '');
});
after(async () => {
  client.close();
  await service.close();
  await removeFolder();
});

const infer = (request: object) => client.call<InferResponse>('ModelInfer', { model_name: name, ...request });

function input(images: readonly Uint8Array[], datatype: string, contents?: object) {
  return { name: 'image', datatype, shape: [images.length, 28, 28], ...(contents && { contents }) };
}

const rawRequest = (images: readonly Uint8Array[]) => {
  return { inputs: [input(images, 'UINT8')], raw_input_contents: [Buffer.concat(images)] };
};
const typedRequest = (images: readonly Uint8Array[]) => {
  return { inputs: [input(images, 'UINT8', { uint_contents: images.flatMap((image) => [...image]) })] };
};

/** Checks that the output `probabilities` of an answer is what the plain arithmetic gives for these images. */
function assertProbabilities(answer: InferResponse, images: readonly Uint8Array[]): void {
  const place = answer.outputs.findIndex((output) => output.name === 'probabilities');
  const output = answer.outputs[place];
  assert.deepEqual([output?.datatype, output?.shape], ['FP32', [images.length, 10]]);
  const raw = answer.raw_output_contents[place];
  const values = raw === undefined ? (output?.contents?.fp32_contents ?? []) : floatsIn(raw);
  const expected = images.flatMap((image) => probabilities(image));
  assert.equal(values.length, expected.length);
  for (const [index, value] of values.entries()) {
    assert.ok(Math.abs(value - (expected[index] ?? NaN)) < 1e-5, `${value} at ${index}; expected ${expected[index]}`);
  }
}

function floatsIn(raw: Buffer): number[] {
  return Array.from({ length: raw.length / 4 }, (_, index) => raw.readFloatLE(index * 4));
}

describe('ModelInfer', () => {
  const images = [randomImage(1), randomImage(2), randomImage(3)];

  test('answers raw contents with raw contents, and typed ones with typed ones', async () => {
    const raw = await infer({ ...rawRequest(images), id: 'order-66' });
    assert.deepEqual([raw.model_name, raw.model_version, raw.id], [name, '1', 'order-66']);
    assert.deepEqual(
      raw.outputs.map((output) => [output.name, output.contents]),
      [
        ['logits', null],
        ['probabilities', null],
      ],
    );
    assert.equal(raw.raw_output_contents.length, 2);
    assertProbabilities(raw, images);
    const typed = await infer(typedRequest(images));
    assert.deepEqual([typed.id, typed.raw_output_contents], ['', []]);
    assertProbabilities(typed, images);
  });

  test('takes FP32 and pictures, raw and typed', async () => {
    const floats = images.flatMap((image) => [...image]);
    const bytes = Buffer.from(Float32Array.from(floats).buffer);
    assertProbabilities(await infer({ inputs: [input(images, 'FP32')], raw_input_contents: [bytes] }), images);
    assertProbabilities(await infer({ inputs: [input(images, 'FP32', { fp32_contents: floats })] }), images);
    const files = await Promise.all(images.map(async (image) => pngOf(image)));
    const pictures = { name: 'image', datatype: 'BYTES', shape: [3] };
    const typed = { ...pictures, contents: { bytes_contents: files } };
    assertProbabilities(await infer({ inputs: [typed] }), images);
    const lengths = files.map((file) => Buffer.from(Uint32Array.of(file.length).buffer));
    const prefixed = Buffer.concat(files.flatMap((file, index) => [lengths[index] ?? Buffer.alloc(0), file]));
    assertProbabilities(await infer({ inputs: [pictures], raw_input_contents: [prefixed] }), images);
  });

  test('gives the outputs that are asked for, in that order, or their best classes', async () => {
    const outputs = [{ name: 'probabilities' }, { name: 'logits' }];
    const { outputs: given } = await infer({ ...typedRequest(images), outputs });
    assert.deepEqual(
      given.map((output) => output.name),
      ['probabilities', 'logits'],
    );
    const best = [{ name: 'probabilities', parameters: { classification: { int64_param: 2 } } }];
    const typed = await infer({ ...typedRequest(images), outputs: best });
    assert.deepEqual([typed.outputs[0]?.datatype, typed.outputs[0]?.shape], ['BYTES', [3, 2]]);
    const [first = ''] = (typed.outputs[0]?.contents?.bytes_contents ?? []).map(String);
    const expected = probabilities(images[0] ?? new Uint8Array());
    const index = expected.indexOf(Math.max(...expected));
    assert.match(first, new RegExp(`^0\\.\\d+:${index}:${CLASS_NAMES[index]}$`));
    const raw = await infer({ ...rawRequest(images), outputs: best });
    const length = raw.raw_output_contents[0]?.readUInt32LE(0) ?? 0;
    assert.equal(raw.raw_output_contents[0]?.subarray(4, 4 + length).toString(), first);
  });

  test('takes parameters of every kind', async () => {
    const parameters = {
      timeout: { uint64_param: 60_000_000 },
      priority: { int64_param: 1 },
      ours: { bool_param: true },
      yours: { string_param: 'x' },
      theirs: { double_param: 0.5 },
      nothing: {},
      ['__proto__']: { string_param: 'x' },
    };
    assertProbabilities(await infer({ ...rawRequest(images), parameters }), images);
  });

  test('takes compressed messages', async (t) => {
    const compressing = new GrpcClient(service.grpcAddress ?? '', { compressed: true });
    t.after(() => compressing.close());
    const request = { model_name: name, ...rawRequest(images) };
    assertProbabilities(await compressing.call<InferResponse>('ModelInfer', request), images);
  });

  test('gives each of 200 calls at once its own rows, whatever form they have', async () => {
    const before = await inferenceCount();
    let rows = 0;
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const own = Array.from({ length: 1 + (index % 3) }, (__, row) => randomImage(1000 * index + row));
        rows += own.length;
        const request = index % 2 === 0 ? rawRequest(own) : typedRequest(own);
        const answer = await infer({ ...request, id: `call-${index}` });
        assert.equal(answer.id, `call-${index}`);
        assertProbabilities(answer, own);
      }),
    );
    assert.equal((await inferenceCount()) - before, rows);
  });

  test('tells in the metadata which call it answers, by what, and on which device', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const request = { model_name: name, ...rawRequest(images) };
    const metadata = { 'x-request-id': 'order-66', traceparent };
    const { initial } = await client.ask('ModelInfer', request, { metadata });
    assert.deepEqual(initial.get('x-request-id'), ['order-66']);
    assert.deepEqual([...initial.get('x-model-name'), ...initial.get('x-model-version')], [name, '1']);
    assert.deepEqual(initial.get('x-model-digest'), [published.manifest.digest]);
    assert.deepEqual(initial.get('x-device'), ['cpu']);
    assert.deepEqual(initial.get('x-preprocessing'), [PREPROCESSING]);
    const line = lines.find(({ requestId, status }) => requestId === 'order-66' && status === 'OK');
    assert.equal(line?.['method'], '/inference.GRPCInferenceService/ModelInfer');
    assert.equal(line?.['traceId'], traceparent.slice(3, 35));
    const strange = await client.ask('ModelInfer', request, { metadata: { 'x-request-id': '<script>' } });
    assert.match(String(strange.initial.get('x-request-id')[0]), /^[0-9a-f-]{36}$/);
  });

  async function inferenceCount(): Promise<number> {
    const answer = await client.call<{ model_stats: { inference_count: number }[] }>('ModelStatistics', { name });
    return answer.model_stats[0]?.inference_count ?? NaN;
  }
});

describe('the other methods', () => {
  test('say that the service lives, is ready, and which models are', async () => {
    assert.deepEqual(await client.call('ServerLive', {}), { live: true });
    assert.deepEqual(await client.call('ServerReady', {}), { ready: true });
    for (const version of ['', '1'])
      assert.deepEqual(await client.call('ModelReady', { name, version }), { ready: true });
  });

  test('describe the service and the model', async () => {
    const { extensions } = await client.call<{ extensions: string[] }>('ServerMetadata', {});
    assert.ok(extensions.includes('classification'));
    assert.deepEqual(await client.call('ModelMetadata', { name, version: '1' }), {
      name,
      versions: ['1'],
      platform: 'onnx_onnxv1',
      inputs: [{ name: 'image', datatype: 'UINT8', shape: [-1, 28, 28] }],
      outputs: ['logits', 'probabilities'].map((output) => ({ name: output, datatype: 'FP32', shape: [-1, 10] })),
    });
    const { config } = await client.call<{ config: object }>('ModelConfig', { name });
    assert.deepEqual(config, {
      name,
      platform: 'onnxruntime_onnx',
      backend: 'onnxruntime',
      max_batch_size: 256,
      input: [{ name: 'image', data_type: 'TYPE_UINT8', dims: [28, 28] }],
      output: ['logits', 'probabilities'].map((output) => ({ name: output, data_type: 'TYPE_FP32', dims: [10] })),
      instance_group: [{ name, kind: 'KIND_CPU', count: 1 }],
      default_model_filename: 'model.onnx',
      dynamic_batching: { max_queue_delay_microseconds: 0 },
      scheduling_choice: 'dynamic_batching',
    });
  });

  test('count what was answered', async () => {
    interface Statistics {
      model_stats: { version: string; last_inference: number; inference_stats: Record<string, { count: number }> }[];
    }
    const ask = async () => (await client.call<Statistics>('ModelStatistics', {})).model_stats[0];
    const earlier = (await ask())?.inference_stats['success']?.count ?? NaN;
    await infer(rawRequest([randomImage(1)]));
    const later = await ask();
    assert.equal(later?.version, '1');
    assert.equal(later.inference_stats['success']?.count, earlier + 1);
    assert.ok(Math.abs(later.last_inference - Date.now()) < 60_000);
  });

  test('list what is in the repository, and let nobody change it who has no key', async () => {
    const models = [{ name, version: '1', state: 'READY', reason: '' }];
    assert.deepEqual(await client.call('RepositoryIndex', { ready: true }), { models });
    for (const method of ['RepositoryModelLoad', 'RepositoryModelUnload']) {
      await failureOf(client.call(method, { model_name: name }), 'PERMISSION_DENIED', 'forbidden');
    }
  });
});
