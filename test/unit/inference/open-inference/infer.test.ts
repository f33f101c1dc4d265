import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLASS_COUNT, DomainError, PIXELS_PER_IMAGE } from '@atelier/domain';
import {
  CountedInferences,
  infer,
  type InferCall,
  type InferParts,
  type InputTensor,
  type Models,
  type PredictOptions,
  type Predictor,
  rawBytes,
} from '@atelier/inference';
import { randomImage } from '../../../support/published-version.ts';

interface Asked {
  images: Uint8Array;
  options: PredictOptions;
}

/** Without thresholds of trust, so with two outputs. */
const VERSION_3 = { name: 'm', version: 3, manifest: {} };

/** Version 3 of "m" with logits 0 to 9 and probabilities of a tenth in each row; remembers what it was asked. */
function service(logit = (index: number) => index) {
  const asked: Asked[] = [];
  const predictor = {
    version: VERSION_3,
    predict(images: Uint8Array, options: PredictOptions) {
      asked.push({ images, options });
      const count = (images.length / PIXELS_PER_IMAGE) * CLASS_COUNT;
      const logits = Float32Array.from({ length: count }, (_, place) => logit(place % CLASS_COUNT));
      return Promise.resolve({ logits, probabilities: new Float32Array(count).fill(0.1) });
    },
  } as unknown as Predictor;
  const models = {
    choose({ name, version = 3 }) {
      if (name === 'm' && version === 3) return predictor;
      throw new DomainError('model-not-found', `${name}/${version}`);
    },
  } as Partial<Models> as Models;
  const statistics = new CountedInferences();
  const parts: InferParts = {
    models,
    statistics,
    decode: async (files, signal) => {
      await Promise.resolve();
      signal?.throwIfAborted();
      return { images: Buffer.concat(files.map(({ bytes }) => Buffer.alloc(PIXELS_PER_IMAGE, bytes))), facts: [] };
    },
    limits: { maximumImages: 4, maximumFiles: 2 },
  };
  return {
    asked,
    statistics: () => statistics.of({ name: 'm', version: 3 }),
    ask: (call: Partial<InferCall>) => infer({ model: 'm', parameters: {}, inputs: [image()], ...call }, parts),
  };
}

const pixels = Buffer.concat([randomImage(1), randomImage(2)]);

function image(change: Partial<InputTensor> = {}): InputTensor {
  return { name: 'image', datatype: 'UINT8', shape: [2, 28, 28], data: pixels, ...change };
}

/** The raw form of FP32. */
function floats(values: ArrayLike<number>): Buffer {
  return Buffer.from(Float32Array.from(values).buffer);
}

/** The raw form of BYTES. */
function lengthPrefixed(...elements: string[]): Buffer {
  return Buffer.concat(
    elements.flatMap((text) => [Buffer.from(Uint32Array.of(text.length).buffer), Buffer.from(text, 'latin1')]),
  );
}

describe('an inference of the protocol', () => {
  test('takes the same images in each form', async () => {
    const { ask, asked } = service();
    const misaligned = Buffer.concat([Buffer.alloc(1), floats(pixels)]).subarray(1);
    const forms = [
      image(),
      image({ data: [...pixels] }),
      image({ datatype: 'FP32', data: floats(pixels) }),
      image({ datatype: 'FP32', data: misaligned }),
      image({ datatype: 'FP32', data: [...pixels] }),
    ];
    for (const form of forms) await ask({ inputs: [form] });
    assert.equal(asked.length, forms.length);
    for (const { images } of asked) assert.deepEqual(Buffer.from(images), pixels);
    assert.equal(asked[0]?.images, pixels, 'raw UINT8 is not copied');
  });

  test('has pictures decoded, in either form and shape', async () => {
    const { ask, asked } = service();
    await ask({ inputs: [image({ datatype: 'BYTES', shape: [2], data: lengthPrefixed('a', 'b') })] });
    await ask({ inputs: [image({ datatype: 'BYTES', shape: [2, 1], data: [Buffer.from('a'), Buffer.from('b')] })] });
    for (const { images } of asked) assert.deepEqual([images[0], images[PIXELS_PER_IMAGE]], [0x61, 0x62]);
  });

  test('answers all outputs, or those asked for, in their order, with the id and the version', async () => {
    const { ask } = service();
    const all = await ask({ id: 'x' });
    assert.deepEqual([all.modelName, all.modelVersion, all.id], ['m', '3', 'x']);
    assert.deepEqual(
      all.outputs.map(({ name, datatype, shape }) => [name, datatype, shape]),
      [
        ['logits', 'FP32', [2, 10]],
        ['probabilities', 'FP32', [2, 10]],
      ],
    );
    const parameters = {};
    const two = await ask({
      version: '3',
      outputs: [
        { name: 'probabilities', parameters },
        { name: 'logits', parameters },
      ],
    });
    assert.deepEqual(
      two.outputs.map(({ name }) => name),
      ['probabilities', 'logits'],
    );
    const [probabilities] = two.outputs;
    assert.ok(probabilities);
    assert.deepEqual(rawBytes(probabilities), floats(Array<number>(20).fill(0.1)));
  });

  test('classifies: value, index and label, best first, of equal ones the lower index first', async () => {
    const { ask } = service();
    const best = (name: string, classification: number) =>
      ask({
        inputs: [image({ shape: [1, 28, 28], data: randomImage(1) })],
        outputs: [{ name, parameters: { classification } }],
      });
    const [logits] = (await best('logits', 2)).outputs;
    assert.deepEqual(logits, { name: 'logits', datatype: 'BYTES', shape: [1, 2], data: ['9:9:Ankle boot', '8:8:Bag'] });
    assert.deepEqual(rawBytes(logits), lengthPrefixed('9:9:Ankle boot', '8:8:Bag'));
    const [probabilities] = (await best('probabilities', 99)).outputs;
    assert.deepEqual(probabilities?.shape, [1, 10], 'there are only ten');
    assert.equal(probabilities.data[0], '0.100000001:0:T-shirt/top');
  });

  test('hands on the priority, the earlier of two deadlines and the signal', async () => {
    const { ask, asked } = service();
    const { signal } = new AbortController();
    const now = performance.now();
    await ask({ parameters: { priority: 1, timeout: 60e6, mine: 'ignored' }, received: now, signal });
    await ask({ parameters: { priority: 2n, timeout: 60e6 }, received: now, deadline: now + 1000 });
    await ask({ parameters: { timeout: 0 } });
    await ask({ parameters: { timeout: 2 ** 31 * 1000 } }); // the least that a timer of Node's takes for 1 ms
    await ask({ parameters: { timeout: 2n ** 63n - 1n }, deadline: now + 1000 });
    assert.deepEqual(
      asked.map(({ options }) => options),
      [
        { priority: 'online', deadline: now + 60_000, signal },
        { priority: 'bulk', deadline: now + 1000 },
        { priority: 'online' },
        { priority: 'online' },
        { priority: 'online', deadline: now + 1000 },
      ],
    );
  });

  test('ends when its time is over or its client leaves, before anything is computed', async () => {
    const { ask, asked } = service();
    await assert.rejects(ask({ parameters: { timeout: 1 }, received: performance.now() - 1 }), {
      code: 'deadline-exceeded',
    });
    const left = new Error('left');
    const pictures = image({ datatype: 'BYTES', shape: [1], data: [Buffer.from('a')] });
    await assert.rejects(
      ask({ inputs: [pictures], signal: AbortSignal.abort(left), parameters: { timeout: 1e9 } }),
      left,
    );
    await assert.rejects(ask({ inputs: [pictures], signal: AbortSignal.abort(left) }), left);
    assert.equal(asked.length, 0);
  });

  test('says who answered, and not who was chosen: a version may be released while pictures are decoded', async () => {
    const released = VERSION_3;
    const rows = new Float32Array(CLASS_COUNT).fill(0.1);
    const changing = {
      version: released,
      predict() {
        changing.version = { ...VERSION_3, version: 4 };
        return Promise.resolve({ logits: rows, probabilities: rows });
      },
    };
    const predictor = changing as unknown as Predictor;
    const statistics = new CountedInferences();
    const decode = () => Promise.resolve({ images: new Uint8Array(PIXELS_PER_IMAGE), facts: [] });
    const limits = { maximumImages: 4, maximumFiles: 2 };
    const models = { choose: () => predictor } as Partial<Models> as Models;
    const inputs = [image({ datatype: 'BYTES', shape: [1], data: [Buffer.of(1)] })];
    const answer = await infer({ model: 'm', parameters: {}, inputs }, { models, statistics, decode, limits });
    assert.equal(answer.modelVersion, '4');
    assert.equal(answer.predictor.version.version, 4, 'as the headers say');
    assert.deepEqual(
      [released, answer.predictor.version].map((version) => statistics.of(version).inference_stats.success.count),
      [0, 1],
    );
  });

  test('never answers what is no number', async () => {
    const { ask } = service((index) => (index === 3 ? -Infinity : 0));
    await assert.rejects(ask({}), { code: 'engine-fault', message: /logits/ });
    await ask({ outputs: [{ name: 'probabilities', parameters: {} }] }); // these are numbers
  });

  test('counts per version what it answered and what it did not', async () => {
    const { ask, statistics } = service();
    assert.equal(statistics().inference_count, 0);
    await ask({});
    await ask({ inputs: [image({ shape: [1, 28, 28], data: randomImage(1) })] });
    await assert.rejects(ask({ inputs: [] }));
    await assert.rejects(ask({ model: 'other' }), { code: 'model-not-found' });
    const { inference_count, execution_count, inference_stats, last_inference } = statistics();
    assert.deepEqual([inference_count, execution_count], [3, 2]);
    assert.deepEqual([inference_stats.success.count, inference_stats.fail.count], [2, 1]);
    assert.ok(inference_stats.success.ns > 0 && last_inference > 0);
  });
});

const noPixel = /pixels 0 to 255, not scaled/;
const changed = (place: number, value: unknown) => [...pixels].map((pixel, at) => (at === place ? value : pixel));
const refusals: Record<string, { call: Partial<InferCall>; message: RegExp; code?: string }> = {
  'no input': { call: { inputs: [] }, message: /Expected the input "image"/ },
  'another input': { call: { inputs: [image({ name: 'x' })] }, message: /no input "x"; the model takes "image"/ },
  'an input twice': { call: { inputs: [image(), image()] }, message: /came 2 times/ },
  'another datatype': { call: { inputs: [image({ datatype: 'INT64' })] }, message: /INT64".*UINT8 or FP32.*BYTES/ },
  'no datatype': { call: { inputs: [image({ datatype: 'uint8' })] }, message: /which the protocol does not have/ },
  'flat images': {
    call: { inputs: [image({ shape: [2, 784] })] },
    message: /\[2, 784\]; expected UINT8 or FP32 \[n, 28, 28\]/,
  },
  'no batch': { call: { inputs: [image({ shape: [28, 28] })] }, message: /\[28, 28\]; expected/ },
  'no images': { call: { inputs: [image({ shape: [0, 28, 28], data: [] })] }, message: /at least 1/ },
  'too many images': {
    call: { inputs: [image({ shape: [2 ** 40, 28, 28] })] },
    message: /at most 4/,
    code: 'too-many-images',
  },
  'too few bytes': { call: { inputs: [image({ data: pixels.subarray(1) })] }, message: /1567 bytes; .* has 1568/ },
  'too many elements': { call: { inputs: [image({ data: [...pixels, 0] })] }, message: /1569 elements/ },
  'too few floats': { call: { inputs: [image({ datatype: 'FP32' })] }, message: /has 6272/ },
  'a fraction': {
    call: { inputs: [image({ datatype: 'FP32', data: changed(784 + 28 * 3 + 5, 0.5) })] },
    message: /at \[1, 3, 5\]: 0.5; .*pixels 0 to 255, not scaled/,
  },
  'a raw fraction': {
    call: { inputs: [image({ datatype: 'FP32', data: floats(changed(0, 0.5) as number[]) })] },
    message: noPixel,
  },
  'no number': {
    call: { inputs: [image({ datatype: 'FP32', data: floats(changed(0, NaN) as number[]) })] },
    message: noPixel,
  },
  infinity: {
    call: { inputs: [image({ datatype: 'FP32', data: floats(changed(0, Infinity) as number[]) })] },
    message: noPixel,
  },
  'a pixel below 0': { call: { inputs: [image({ data: changed(0, -1) })] }, message: noPixel },
  'a pixel above 255': { call: { inputs: [image({ data: changed(0, 256) })] }, message: noPixel },
  'a text': { call: { inputs: [image({ data: changed(0, '1') })] }, message: noPixel },
  'a list in the list': { call: { inputs: [image({ data: changed(0, [1]) })] }, message: noPixel },
  'pictures in a grid': { call: { inputs: [image({ datatype: 'BYTES', shape: [1, 2] })] }, message: /\[1, 2\]/ },
  'no pictures': { call: { inputs: [image({ datatype: 'BYTES', shape: [0] })] }, message: /at least 1/ },
  'too many pictures': {
    call: { inputs: [image({ datatype: 'BYTES', shape: [3] })] },
    message: /at most 2/,
    code: 'too-many-images',
  },
  'a length that is cut': { call: { inputs: [bytes([1], Buffer.alloc(3))] }, message: /length of element 0 is cut/ },
  'a picture that is cut': {
    call: { inputs: [bytes([1], lengthPrefixed('abc').subarray(0, 5))] },
    message: /lacks 2 of its 3 bytes/,
  },
  'a picture too few': { call: { inputs: [bytes([2], lengthPrefixed('a'))] }, message: /expected 2 elements; came 1/ },
  'a picture too many': { call: { inputs: [bytes([1], lengthPrefixed('a', 'b'))] }, message: /5 bytes are left over/ },
  'a picture that is no bytes': { call: { inputs: [bytes([1], ['a'])] }, message: /expected bytes/ },
  'an unknown output': {
    call: { outputs: [{ name: 'x', parameters: {} }] },
    message: /no output "x"; the model gives logits and probabilities/,
  },
  'an output twice': {
    call: {
      outputs: [
        { name: 'logits', parameters: {} },
        { name: 'logits', parameters: {} },
      ],
    },
    message: /twice/,
  },
  'no classes': { call: { outputs: [{ name: 'logits', parameters: { classification: 0 } }] }, message: /at least 1/ },
  'a text of classes': {
    call: { outputs: [{ name: 'logits', parameters: { classification: '3' } }] },
    message: /came|string/,
  },
  'a reserved parameter': { call: { parameters: { triton_x: 1 } }, message: /reserved for Triton/ },
  'a fraction of a priority': {
    call: { parameters: { priority: 0.5 } },
    message: /"priority": 0.5; expected a whole number/,
  },
  'a text for a timeout': { call: { parameters: { timeout: '5' } }, message: /"timeout": string; .*microseconds/ },
  'a version in words': { call: { version: 'newest' }, message: /versions are 1, 2/, code: 'model-not-found' },
  'version 0': { call: { version: '0' }, message: /versions are 1, 2/, code: 'model-not-found' },
};

function bytes(shape: number[], data: InputTensor['data']): InputTensor {
  return image({ datatype: 'BYTES', shape, data });
}

describe('an inference of the protocol refuses', () => {
  for (const [title, { call, message, code = 'invalid-request' }] of Object.entries(refusals)) {
    test(title, async () => {
      const { ask, asked } = service();
      await assert.rejects(ask(call), { code, message });
      assert.equal(asked.length, 0);
    });
  }
});

describe('the statistics', () => {
  test('take runs and waiting from whoever forms batches, where somebody does', () => {
    const statistics = new CountedInferences();
    const version = { name: 'm', version: 1 };
    const request = { count: 2, inputMs: 1, predictMs: 5, outputMs: 1 };
    statistics.answered(version, request);
    statistics.answered(version, request);
    const alone = statistics.of(version);
    assert.deepEqual([alone.execution_count, alone.inference_stats.compute_infer.ns], [2, 10e6]);
    statistics.computed({ version, rows: 4, queueMs: [2, 4], computeMs: 1.5 });
    const { execution_count, inference_count, inference_stats, batch_stats } = statistics.of(version);
    assert.equal(execution_count, 1);
    assert.equal(inference_count, 4, 'through which it is the mean batch');
    assert.deepEqual(inference_stats.queue, { count: 2, ns: 6e6 });
    assert.deepEqual(inference_stats.compute_infer, { count: 2, ns: 3e6 });
    assert.deepEqual(batch_stats, [
      {
        batch_size: 4,
        compute_input: { count: 1, ns: 0 },
        compute_infer: { count: 1, ns: 1.5e6 },
        compute_output: { count: 1, ns: 0 },
      },
    ]);
  });

  test('have the images of other routes, which are in the same runs', () => {
    const statistics = new CountedInferences();
    const version = { name: 'm', version: 1 };
    statistics.computed({ version, rows: 3, queueMs: [1], computeMs: 1 });
    const { inference_count, execution_count, last_inference } = statistics.of(version);
    assert.deepEqual([inference_count, execution_count, last_inference > 0], [3, 1, true]);
  });
});
