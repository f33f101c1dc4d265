import assert from 'node:assert/strict';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { ErrorCode } from '@atelier/domain';
import { RetryLater } from '@atelier/http';
import { EmbeddedQueue, RunResource, TEACHERS_DIRECTORY } from '@atelier/trainer';
import request from 'supertest';
import { type ProblemDetails, problemOf } from '../support/answers.ts';
import { noFileLimit, whileFilesAreAtMost } from '../support/full-disk.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { smallLayer, smallRecipe } from '../support/small-recipe.ts';
import { runIn } from '../support/stored-runs.ts';
import { type TestTrainer, testTrainer } from '../support/trainer-service.ts';

const overriding = (overrides: unknown) => ({ recipe: 'deep-bn', overrides });
const custom = (change: object) => ({ recipe: { ...smallRecipe(), ...change } });
const NO_DIGEST = `sha256:${'0'.repeat(64)}`;

/** A request that breaks its schema; where, and how that is put into words. */
type Fault = [title: string, body: unknown, pointer: string, words: RegExp];

const NUMBERS: Fault[] = [
  [
    'units 0',
    overriding({ hiddenLayers: [smallLayer({ units: 0 })] }),
    '/overrides/hiddenLayers/0/units',
    /whole number from 1 to 16,384; came 0$/,
  ],
  [
    'units 1.5',
    custom({ hiddenLayers: [smallLayer(), smallLayer({ units: 1.5 })] }),
    '/recipe/hiddenLayers/1/units',
    /whole number from 1 to 16,384; came 1\.5$/,
  ],
  [
    'dropout 1',
    overriding({ hiddenLayers: [smallLayer({ dropout: 1 })] }),
    '/overrides/hiddenLayers/0/dropout',
    /number from 0 to below 1; came 1$/,
  ],
  [
    'a negative learning rate',
    overriding({ optimizer: { learningRate: -0.1 } }),
    '/overrides/optimizer/learningRate',
    /number above 0; came -0\.1$/,
  ],
  [
    'a negative weight decay',
    overriding({ weightDecay: { rate: -1 } }),
    '/overrides/weightDecay/rate',
    /number above 0 to below 1; came -1$/,
  ],
  [
    'ten million epochs',
    overriding({ epochs: 10_000_000 }),
    '/overrides/epochs',
    /whole number from 1 to 10,000; came 10000000$/,
  ],
  ['no epochs in a custom recipe', custom({ epochs: 0 }), '/recipe/epochs', /whole number from 1 to 10,000; came 0$/],
  [
    'a batch as a text',
    overriding({ batchSize: '64' }),
    '/overrides/batchSize',
    /whole number from 1 to 60,000; came "64"$/,
  ],
  ['seed -1', { recipe: 'deep-bn', seed: -1 }, '/seed', /whole number from 0 to 2,147,483,647; came -1$/],
  [
    'a seed beyond 31 bits',
    { recipe: 'deep-bn', seed: 2 ** 31 },
    '/seed',
    /whole number from 0 to 2,147,483,647; came 2147483648$/,
  ],
  [
    'a seed that is overridden with a bad one',
    overriding({ seed: 0.5 }),
    '/overrides/seed',
    /whole number from 0 to 2,147,483,647; came 0\.5$/,
  ],
  ['limit 5', { recipe: 'deep-bn', limit: 5 }, '/limit', /whole number from 100 to 60,000; came 5$/],
  [
    'threads for an engine that has none to choose',
    { recipe: 'deep-bn', engine: 'tfjs', threads: 2 },
    '/threads',
    /expected null for tfjs on auto.*came 2$/,
  ],
  ['no threads', { recipe: 'deep-bn', threads: 0 }, '/threads', /whole number from 1 to 256; came 0$/],
];

const SHAPES: Fault[] = [
  ['an unknown recipe', { recipe: 'deep' }, '/recipe', /expected one of .*deep-bn.*; came "deep"$/],
  ['no recipe', {}, '/recipe', /name of a recipe, or a whole recipe/],
  ['a list for a recipe', { recipe: [] }, '/recipe', /name of a recipe, or a whole recipe/],
  ['null for a recipe', { recipe: null }, '/recipe', /name of a recipe, or a whole recipe/],
  ['a name that every object has', { recipe: '__proto__' }, '/recipe', /expected one of/],
  ['a list for a body', [], '', /expected object/],
  ['null for a body', null, '', /expected object/],
  ['an unknown field', { recipe: 'deep-bn', epochs: 3 }, '/epochs', /unknown/],
  ['an unknown field of the recipe', overriding({ 'learning/rate~': 1 }), '/overrides/learning~1rate~0', /unknown/],
  ['an unknown field inside', overriding({ optimizer: { rate: 1 } }), '/overrides/optimizer/rate', /unknown/],
  [
    'a field of another kind',
    overriding({ optimizer: { kind: 'sgd', learningRate: 1, beta1: 0.5 } }),
    '/overrides/optimizer/beta1',
    /unknown/,
  ],
  [
    'a field that every object has',
    overriding({ constructor: { prototype: {} } }),
    '/overrides/constructor',
    /unknown/,
  ],
  [
    'a kind that lacks a field',
    overriding({ optimizer: { kind: 'sgd' } }),
    '/overrides/optimizer/learningRate',
    /above 0; came nothing$/,
  ],
  ['an unknown kind', overriding({ optimizer: { kind: 'lion' } }), '/overrides/optimizer/kind', /'sgd' \| 'momentum'/],
  ['a field that is taken away and has no default', overriding({ epochs: null }), '/overrides/epochs', /came nothing$/],
  [
    'a custom recipe without a field',
    { recipe: { ...smallRecipe(), initializer: undefined } },
    '/recipe/initializer',
    /glorot-uniform/,
  ],
  ['a list for overrides', overriding([]), '/overrides', /received array/],
  ['a text for overrides', overriding('epochs'), '/overrides', /received string/],
  ['an unknown engine', { recipe: 'deep-bn', engine: 'torch' }, '/engine', /"auto"\|"tfjs"\|"onnx"/],
  ['an unknown device', { recipe: 'deep-bn', device: 'tpu' }, '/device', /"auto"\|"cpu"\|"cuda"\|"webgpu"/],
  ['a word for publish', { recipe: 'deep-bn', publish: 'yes' }, '/publish', /expected boolean/],
  [
    'a teacher that leads elsewhere',
    overriding({ distillation: { teacher: '../x', digest: NO_DIGEST } }),
    '/overrides/distillation/teacher',
    /lower-case words/,
  ],
];

/** Texts: `JSON.stringify` writes none of these. */
const PROTOTYPES: [place: string, body: string][] = [
  ['/__proto__', '{"recipe":"deep-bn","__proto__":{"seed":1}}'],
  ['/overrides/__proto__', '{"recipe":"deep-bn","overrides":{"__proto__":{"epochs":1}}}'],
  ['/overrides/optimizer/__proto__', '{"recipe":"deep-bn","overrides":{"optimizer":{"__proto__":{"learningRate":1}}}}'],
  ['/recipe/__proto__', JSON.stringify(custom({})).replace('"epochs"', '"__proto__":{},"epochs"')],
  ['/recipe/hiddenLayers/0/__proto__', JSON.stringify(custom({})).replace('"units"', '"__proto__":{},"units"')],
];

const nested = (open: string, close: string, times: number) => `${open.repeat(times)}1${close.repeat(times)}`;
const DEEP: [what: string, body: string][] = [
  ['objects', `{"recipe":"deep-bn","overrides":${nested('{"a":', '}', 10_000)}}`],
  ['lists', `{"recipe":"deep-bn","overrides":{"hiddenLayers":${nested('[', ']', 20_000)}}}`],
  ['a recipe', `{"recipe":${nested('{"optimizer":', '}', 4_000)}}`],
  ['a body', nested('[', ']', 20_000)],
];

describe('POST /runs refuses, before there is a run,', () => {
  let service: TestTrainer;
  before(async () => void (service = await testTrainer({ maximumQueued: 2 })));
  after(() => service.remove());
  beforeEach(() => rm(service.runsDirectory, { recursive: true, force: true }));

  const post = (body: unknown) =>
    request(service.app)
      .post('/runs')
      .send(body as object);
  const postText = (body: string, type = 'application/json') =>
    request(service.app).post('/runs').set('Content-Type', type).send(body);

  async function refused(answer: request.Test, status: number, code: ErrorCode): Promise<ProblemDetails> {
    const problem = await problemOf(answer, status, code);
    assert.deepEqual(await readdir(service.runsDirectory).catch(() => []), [], 'something was left');
    assert.equal(await service.trainer.queueLength(), 0);
    return problem;
  }

  for (const [title, body, pointer, words] of [...NUMBERS, ...SHAPES]) {
    test(`${title}, and points at it`, async () => {
      const answer = postText(JSON.stringify(body)); // supertest sends no null
      const { errors = [] } = await refused(answer, 422, 'invalid-request');
      assert.deepEqual(
        errors.map((each) => each.pointer),
        [pointer],
      );
      assert.match(errors[0]?.detail ?? '', words);
    });
  }

  test('several faults together, each where it stands', async () => {
    const body = { ...custom({ epochs: 0 }), overrides: { batchSize: 0, optimizer: { epsilon: 0 } } };
    const { errors = [] } = await refused(post(body), 422, 'invalid-request');
    assert.deepEqual(errors.map(({ pointer }) => pointer).sort(), [
      '/overrides/batchSize',
      '/overrides/optimizer/epsilon',
      '/recipe/epochs',
    ]);
  });

  for (const [pointer, body] of PROTOTYPES) {
    test(`a prototype at ${pointer}, which changes nothing here`, async () => {
      const { errors } = await refused(postText(body), 422, 'invalid-request');
      assert.deepEqual(errors, [{ pointer, detail: 'unknown name' }]);
      assert.equal(({} as { seed?: number }).seed, undefined);
    });
  }

  for (const [what, body] of DEEP) {
    test(`${what} nested thousands of levels deep`, async () => {
      const { errors = [] } = await refused(postText(body), 422, 'invalid-request');
      assert.match(errors[0]?.detail ?? '', /at most 32 levels/);
    });
  }

  test('a body that is not JSON', async () => {
    for (const body of ['{"recipe":', 'recipe=deep-bn', '', '\ufffe']) {
      await refused(postText(body), 400, 'malformed-json');
    }
  });

  test('a body of another type, and of none', async () => {
    await refused(postText('{"recipe":"deep-bn"}', 'text/plain'), 415, 'unsupported-media-type');
    await refused(postText('{"recipe":"deep-bn"}', 'application/json; charset=utf-16'), 415, 'unsupported-media-type');
    await refused(request(service.app).post('/runs'), 415, 'unsupported-media-type');
  });

  test('a body that is too large, in bytes and in values', async () => {
    await refused(post({ recipe: 'a'.repeat(70_000) }), 413, 'payload-too-large');
    const values = overriding({ hiddenLayers: Array.from({ length: 10_001 }, () => 0) });
    await refused(post(values), 413, 'payload-too-large');
  });

  test('a network that could not be kept', async () => {
    const hiddenLayers = Array.from({ length: 8 }, () => smallLayer({ units: 16_384 }));
    const { detail } = await refused(post(custom({ hiddenLayers })), 422, 'invalid-recipe');
    assert.match(detail ?? '', /parameters, which .* at most 2,047 MiB can be kept/);
  });

  test('a teacher that is not there, and says which there are', async () => {
    const body = overriding({ distillation: { teacher: 'nobody', digest: NO_DIGEST } });
    const { detail } = await refused(post(body), 422, 'teacher-not-found');
    assert.match(detail ?? '', /There is: convolutional\./);
  });

  test('a teacher that is another one than the recipe expects', async () => {
    assert.ok((await readdir(TEACHERS_DIRECTORY)).includes('convolutional.onnx'));
    const body = overriding({ distillation: { teacher: 'convolutional', digest: NO_DIGEST } });
    const { detail } = await refused(post(body), 422, 'invalid-recipe');
    assert.match(detail ?? '', /^distillation\.digest: .*convolutional\.onnx has digest sha256:/);
  });

  test('a device that cannot be used, and says why and what brings it', async () => {
    const cuda = await refused(post({ recipe: 'deep-bn', device: 'cuda' }), 409, 'device-unavailable');
    assert.match(cuda.detail ?? '', /onnx on cuda of here: no GPU \(buy one\)/);
    await refused(post({ recipe: 'deep-bn', device: 'webgpu' }), 409, 'device-unavailable');
    const both = { recipe: 'deep-bn', engine: 'onnx', device: 'cuda' };
    await refused(post(both), 409, 'device-unavailable');
  });

  test('an engine that cannot be used', async () => {
    const { detail } = await refused(post({ recipe: 'deep-bn', engine: 'tfjs' }), 409, 'engine-unavailable');
    assert.match(detail ?? '', /tfjs/);
  });

  test('an Idempotency-Key that cannot be one', async () => {
    for (const key of ['', 'two words', 'schlüssel', 'k'.repeat(256)]) {
      const answer = post({ recipe: 'deep-bn' }).set('Idempotency-Key', Buffer.from(key).toString('latin1'));
      const { errors } = await refused(answer, 422, 'invalid-request');
      assert.deepEqual(
        errors?.map(({ parameter }) => parameter),
        ['Idempotency-Key'],
      );
    }
  });
});

describe('a trainer', () => {
  let service: TestTrainer;
  const { log, lines } = recordedLog();
  before(async () => void (service = await testTrainer({ maximumQueued: 2, log })));
  after(() => service.remove());
  const post = () => request(service.app).post('/runs').send({ recipe: 'deep-bn' });

  test('takes no more runs than may wait, and says when to come again', async () => {
    const first = RunResource.parse((await post().expect(202)).body);
    await post().set('Idempotency-Key', 'known').expect(202);
    const { detail, retryAfter } = await problemOf(post(), 429, 'queue-full');
    assert.match(detail ?? '', /^2 runs wait/);
    assert.match(retryAfter ?? '', /^[1-9]\d*$/);
    await post().set('Idempotency-Key', 'known').expect(202); // waits already
    assert.equal((await readdir(service.runsDirectory)).length, 2);
    await request(service.app).post(`/runs/${first.id}/cancel`).expect(202);
    await post().expect(202);
  });

  for (const bytes of [0, 100, 500, 1000]) {
    test(
      `leaves no half run where the disk takes files of ${bytes} bytes, and stays up`,
      { skip: noFileLimit },
      async () => {
        await rm(service.runsDirectory, { recursive: true });
        await mkdir(service.runsDirectory);
        const answer = await whileFilesAreAtMost(bytes, () => problemOf(post(), 507, 'disk-full'));
        assert.match(answer.detail ?? '', /^There is no room to write /);
        assert.deepEqual(await readdir(service.runsDirectory), []);
        assert.ok(lines.some(({ code }) => code === 'disk-full'));
        await post().expect(202);
      },
    );
  }
});

describe('a trainer whose queue cannot be reached', () => {
  class BrokenQueue extends EmbeddedQueue {
    isBroken = true;
    override async add(id: string): Promise<void> {
      if (this.isBroken) throw new RetryLater('queue-unavailable', 'The queue cannot be reached.');
      await super.add(id);
    }
    override async length(): Promise<number> {
      if (this.isBroken) throw new RetryLater('queue-unavailable', 'The queue cannot be reached.');
      return super.length();
    }
  }
  const queue = new BrokenQueue();
  let service: TestTrainer;
  before(async () => void (service = await testTrainer({ queue })));
  after(() => service.remove());

  test('is not ready, makes no run, and shows the others, until it can be', async () => {
    const { id } = await runIn('finished', service.runsDirectory);
    await service.trainer.recover();
    const problem = await problemOf(request(service.app).get('/readyz'), 503, 'queue-unavailable');
    assert.match(problem.retryAfter ?? '', /^[1-9]\d*$/);
    await problemOf(request(service.app).post('/runs').send({ recipe: 'deep-bn' }), 503, 'queue-unavailable');
    assert.deepEqual(await readdir(service.runsDirectory), [id]);
    await request(service.app).get(`/runs/${id}`).expect(200);
    const { text } = await request(service.app).get('/metrics').expect(200);
    assert.match(text, /^atelier_trainer_runs\{state="finished"\} 1$/m);
    assert.doesNotMatch(text, /^atelier_trainer_queue_length /m);
    queue.isBroken = false;
    await service.trainer.recover();
    await request(service.app).get('/readyz').expect(200);
    await request(service.app).post('/runs').send({ recipe: 'deep-bn' }).expect(202);
  });
});
