import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { DeviceClaim, InferenceConfig } from '@atelier/inference';
import { publishVersion } from '@atelier/model-repository';
import request from 'supertest';
import { problemOf } from '../support/answers.ts';
import { type InferenceOptions, type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { publishTiny, randomImage, versionContent } from '../support/published-version.ts';
import { runtimeCopy } from '../support/runtime-copy.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

const fragile = new URL('../support/fragile-compute.mjs', import.meta.url);
/** The names and words below are those of Linux. */
const skip = process.platform !== 'linux';

/** A first pixel at which the fragile process dies. */
const CRASH = 255;

const body = (first = 0) => ({ pixels: [[...randomImage(1, first)]] });
const ANYTHING = /^/;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let good: string;
let tens: string;
before(async () => {
  folder = await temporaryFolder();
  good = join(folder.path, 'good');
  await publishTiny(good, { seed: 1 });
  await publishTiny(good, { seed: 2 });
  tens = join(folder.path, 'tens');
  const { model, manifest } = versionContent();
  manifest.golden.probabilities = manifest.golden.images.map(() => Array<number>(10).fill(0.1));
  await publishVersion(tens, 'fashion-mlp', { model, manifest });
});
after(() => folder.remove());

/** A service over two good versions, closed with the test. */
async function open(
  t: TestContext,
  config: Partial<InferenceConfig>,
  options?: InferenceOptions,
  root = good,
): Promise<InferenceUnderTest> {
  const service = await openInference(root, { workers: 1, ...config }, options);
  t.after(() => service.close());
  return service;
}

/** Up, not ready, and everywhere the same reason; no version is blamed for it. */
async function failsClosed(service: InferenceUnderTest, reason: string): Promise<void> {
  const said = new RegExp(`device-unavailable: DEVICE=${reason}`);
  await request(service.app).get('/healthz').expect(200);
  for (const answer of [request(service.app).get('/readyz'), request(service.app).post('/predict').send(body())]) {
    const { detail } = await problemOf(answer, 503, 'not-ready');
    assert.match(detail ?? '', said);
  }
  const { body: listed } = (await request(service.app).get('/models').expect(200)) as {
    body: { models: { state: string; reason: string; device?: string }[] };
  };
  for (const version of listed.models) {
    assert.equal(version.state, 'UNAVAILABLE');
    assert.match(version.reason, said);
    assert.equal(version.device, undefined);
  }
  const errors = service.lines.filter(({ level }) => level >= 50).map(({ msg }) => msg);
  assert.equal(errors.length, 1, errors.join('\n'));
  assert.match(errors[0] ?? '', said);
}

function warningsOf({ lines }: InferenceUnderTest, pattern: RegExp): string[] {
  return lines.filter(({ level, msg }) => level === 40 && pattern.test(msg)).map(({ msg }) => msg);
}

describe("without onnxruntime's CUDA provider", { skip }, () => {
  test('DEVICE=cuda fails closed: the library is missing, and npm run setup:cuda brings it', async (t) => {
    const { entry } = await runtimeCopy(join(folder.path, 'strict'));
    const service = await open(t, { device: 'cuda' }, { entry });
    await failsClosed(service, 'cuda: library missing: libonnxruntime_providers_cuda.so: .*npm run setup:cuda');
    await service.model.refresh();
    assert.equal(service.lines.filter(({ level }) => level >= 50).length, 1, 'it is said once');
  });

  test('DEVICE=auto computes on the CPU and says so once in the log, in /readyz, /metrics, /models, the metadata and each answer', async (t) => {
    const { entry } = await runtimeCopy(join(folder.path, 'auto'));
    const service = await open(t, { device: 'auto', workers: 2 }, { entry });
    const warnings = warningsOf(service, ANYTHING);
    assert.equal(warnings.length, 1, warnings.join('\n'));
    assert.match(warnings[0] ?? '', /^DEVICE=auto computes on cpu\. cuda: library missing: .* npm run setup:cuda/);
    const { body: ready } = (await request(service.app).get('/readyz').expect(200)) as {
      body: { device: DeviceClaim };
    };
    assert.deepEqual([ready.device.requested, ready.device.actual], ['auto', 'cpu']);
    assert.match(ready.device.reason ?? '', /^cuda: library missing: libonnxruntime_providers_cuda\.so/);
    const answer = await request(service.app).post('/predict').send(body()).expect(200);
    assert.equal((answer.body as { device: string }).device, 'cpu');
    assert.equal(answer.headers['x-device'], 'cpu');
    const { text: metrics } = await request(service.app).get('/metrics').expect(200);
    assert.match(metrics, /^device_info\{.*requested="auto",actual="cpu",reason="cuda: library missing: [^"]+"\} 1$/m);
    const metadata = await request(service.app).get('/v2/models/fashion-mlp').expect(200);
    assert.match(metadata.text, /"device_?[rR]eason":"cuda: library missing/);
    const { body: listed } = (await request(service.app).get('/models')) as { body: { models: { device: string }[] } };
    assert.deepEqual(new Set(listed.models.map(({ device }) => device)), new Set(['cpu']));
  });
});

describe('with a CUDA provider that is broken', { skip }, () => {
  test('alone without its companion, DEVICE=cuda fails closed: library missing', async (t) => {
    const { libraries, entry } = await runtimeCopy(join(folder.path, 'alone'));
    await writeFile(join(libraries, 'libonnxruntime_providers_cuda.so'), 'no library\n'.repeat(100));
    await failsClosed(
      await open(t, { device: 'cuda' }, { entry }),
      'cuda: library missing: libonnxruntime_providers_shared.so',
    );
  });

  test('and is no library at all, DEVICE=cuda fails closed: library broken; auto goes on, on the CPU', async (t) => {
    const { libraries, entry } = await runtimeCopy(join(folder.path, 'broken'));
    for (const name of ['shared', 'cuda'])
      await writeFile(join(libraries, `libonnxruntime_providers_${name}.so`), 'no library\n'.repeat(100));
    const strict = await open(t, { device: 'cuda' }, { entry });
    await failsClosed(strict, 'cuda: library broken: libonnxruntime_providers_shared.so: invalid ELF header');
    const service = await open(t, { device: 'auto' }, { entry });
    await request(service.app).post('/predict').send(body()).expect(200);
    assert.equal(warningsOf(service, /^DEVICE=auto computes on cpu\. cuda: library broken: /).length, 1);
    await until(
      'what the runtime prints is in the log',
      () => warningsOf(service, /printed: .*Failed to load/).length > 0,
    );
  });
});

describe('a driver that is worse than none', () => {
  const set = (value: string) => (process.env['FRAGILE_CUDA'] = value);
  after(() => delete process.env['FRAGILE_CUDA']);

  test('and kills whoever asks it: DEVICE=cuda fails closed, and the service lives', async (t) => {
    set('kills');
    const service = await open(t, { device: 'cuda' }, { entry: fragile }, tens);
    const { detail } = await problemOf(request(service.app).get('/readyz'), 503, 'not-ready');
    assert.match(
      detail ?? '',
      /DEVICE=cuda: driver: it ended the compute process: It ended by exit code 9\. nvidia-smi/,
    );
    await request(service.app).get('/healthz').expect(200);
  });

  test('and kills whoever asks it: auto computes on the CPU, in the process that follows', async (t) => {
    set('kills');
    const service = await open(t, { device: 'auto' }, { entry: fragile }, tens);
    await request(service.app).post('/predict').send(body()).expect(200);
    assert.match(warningsOf(service, /^DEVICE=auto computes on cpu/)[0] ?? '', /cuda: driver: it ended the compute/);
  });

  test('and goes away: under auto the claim of each answer follows what computes', async (t) => {
    set('works');
    const service = await open(t, { device: 'auto' }, { entry: fragile }, tens);
    const deviceOf = async () =>
      ((await request(service.app).post('/predict').send(body())) as { body: { device?: string } }).body.device;
    assert.equal(await deviceOf(), 'cuda');
    assert.equal(warningsOf(service, ANYTHING).length, 0);
    set('fails');
    await request(service.app).post('/predict').send(body(CRASH)).expect(503);
    await until('another process has the model', async () => (await deviceOf()) !== undefined);
    assert.equal(await deviceOf(), 'cpu');
    const { body: ready } = (await request(service.app).get('/readyz')) as { body: { device: DeviceClaim } };
    assert.equal(ready.device.reason, 'cuda: driver: CUDA failure 100: no CUDA-capable device is detected');
    assert.match(warningsOf(service, /computes on cpu/)[0] ?? '', /nvidia-smi must list a GPU/);
  });
});

test(
  'the compute process knows no setting or key of the service, and telemetry is off before it loads a library',
  {
    skip: process.platform !== 'linux',
  },
  async (t) => {
    const ours = { INFERENCE_API_KEYS: 'a', TRAINER_API_KEY: 'b', QUEUE_URL: 'c', OTEL_EXPORTER_OTLP_HEADERS: 'd' };
    Object.assign(process.env, ours);
    t.after(() => Object.keys(ours).forEach((name) => delete process.env[name]));
    const service = await open(t, { device: 'cpu' });
    const environment = (await readFile(`/proc/${service.engine.pid()}/environ`, 'utf8')).split('\0');
    assert.deepEqual(
      environment.filter((entry) => /^(INFERENCE_|TRAINER_|QUEUE_|OTEL_|NODE_OPTIONS)/.test(entry)),
      [],
    );
    assert.ok(environment.includes('ORT_DISABLE_TELEMETRY=1'));
    assert.ok(environment.some((entry) => entry.startsWith('PATH=')));
  },
);
