import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadFashionMnist } from '@atelier/fashion-mnist';
import { resolveVersion } from '@atelier/model-repository';
import sharp from 'sharp';
import { atelier, Program, ROOT } from '../support/programs.ts';

interface PredictBody {
  model: { name: string; version: number; digest: string };
  predictions: { label: string; probabilities: { probability: number }[] }[];
}

describe('npm run train, then npm start (real data)', () => {
  let directory: string;
  let environment: Record<string, string>;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'atelier-e2e-'));
    environment = {
      MODELS_DIR: join(directory, 'models'),
      RUNS_DIR: join(directory, 'runs'),
      INFERENCE_PORT: '0',
      TRAINER_PORT: '0',
    };
  });
  after(() => rm(directory, { recursive: true }));

  test('without any version both services start, and the missing one is explained', async () => {
    const started = await start();
    const health = await fetch(`${started.inference}/healthz`);
    assert.equal(health.status, 200);
    const ready = await fetch(`${started.inference}/readyz`);
    assert.equal(ready.status, 503);
    const problem = (await ready.json()) as { type: string; detail: string };
    assert.equal(problem.type, '/problems/not-ready');
    await started.program.wrote(/npm run train/);
    await started.program.wrote(/inference +http:\S+ +\(not ready/);
    assert.doesNotMatch(started.program.stdout, /Try: curl/);
    assert.equal((await fetch(`${started.trainer}/readyz`)).status, 200);
    await started.stop();
  });

  test('two epochs of ann-128 on the real data are published with parity at most 1e-5 on all 10,000 test images', async () => {
    const words = ['run', '--silent', 'train', '--', '--recipe', 'ann-128', '--epochs', '2', '--publish', '--json'];
    const { code, stdout, stderr } = await new Program('npm', words, environment).finished;
    assert.equal(code, 0, stderr);
    const result = JSON.parse(stdout) as { published: { version: number }; metrics: { test: { accuracy: number } } };
    assert.equal(result.published.version, 1);
    assert.ok(result.metrics.test.accuracy > 0.82, `accuracy ${result.metrics.test.accuracy}`);
    const { manifest } = await resolveVersion(environment['MODELS_DIR'] ?? '', 'fashion-mlp', 'latest');
    assert.equal(manifest.parity.images, 10_000);
    assert.ok(manifest.parity.maximumDifference <= 1e-5);
    assert.equal(manifest.metrics.test.count, 10_000);
    assert.equal(manifest.metrics.train.count + manifest.metrics.validation.count, 60_000);
  });

  test('that run is version 1 already, and becomes one in another folder without being trained again', async () => {
    const [run = ''] = (await readdir(environment['RUNS_DIR'] ?? '')).filter((name) => name.includes('ann-128'));
    const words = ['run', '--silent', 'publish', '--', run];
    const again = await new Program('npm', [...words, '--json'], environment).finished;
    const { version, isNew } = JSON.parse(again.stdout) as { version: number; isNew: boolean };
    assert.deepEqual([version, isNew], [1, false]);
    const elsewhere = { ...environment, MODELS_DIR: join(directory, 'elsewhere') };
    assert.match((await new Program('npm', words, elsewhere).finished).stdout, /^Published fashion-mlp version 1 in /);
    assert.match((await new Program('npm', words, elsewhere).finished).stdout, /is fashion-mlp version 1 already/);
  });

  test('the service serves that version after a restart: ten probabilities that sum to 1 for an uploaded PNG', async () => {
    const started = await start();
    const { test: images } = await loadFashionMnist({ cacheDirectory: join(ROOT, 'data', 'fashion-mnist') });
    const png = await sharp(images.images.subarray(0, 784), { raw: { width: 28, height: 28, channels: 1 } })
      .png()
      .toBuffer();
    await waitUntilReady(started.inference);
    const form = new FormData();
    form.append('image', new Blob([new Uint8Array(png)], { type: 'image/png' }), 'shoe.png');
    const response = await fetch(`${started.inference}/predict`, { method: 'POST', body: form });
    assert.equal(response.status, 200);
    const body = (await response.json()) as PredictBody;
    assert.equal(body.model.version, 1);
    assert.equal(body.predictions[0]?.label, 'Ankle boot');
    const probabilities = body.predictions[0].probabilities.map(({ probability }) => probability);
    assert.equal(probabilities.length, 10);
    assert.ok(Math.abs(probabilities.reduce((sum, value) => sum + value, 0) - 1) < 1e-5);
    await started.stop();
  });

  test('a port that is taken ends npm start with a clear line and no process left', async () => {
    const first = await start();
    const port = new URL(first.inference).port;
    const second = new Program('npm', ['start'], { ...environment, INFERENCE_PORT: port });
    const { code, stdout, stderr } = await second.finished;
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, new RegExp(`127\\.0\\.0\\.1:${port}.*another program`));
    assert.match(stderr, /inference service did not start/);
    await first.stop();
  });

  test('Ctrl-C ends atelier serve with exit code 0', async () => {
    const program = atelier(['serve'], environment);
    await program.wrote(/Stop with Ctrl-C/);
    program.pressControlC();
    assert.equal((await program.finished).code, 0);
  });

  test('a service ends although nobody reads its log any more', async () => {
    const program = atelier(['serve', 'trainer'], environment);
    await program.wrote(/Stop with Ctrl-C/);
    program.process.stdout.destroy();
    program.process.stderr.destroy();
    program.process.kill('SIGTERM');
    assert.equal((await program.finished).code, 0);
  });

  test('the services end when the program that started them is killed', async () => {
    const program = atelier(['serve'], environment);
    const [, inference = ''] = await program.wrote(/^ {2}inference +(http:\S+)/m);
    program.process.kill('SIGKILL');
    await gone(`${inference}/healthz`);
  });

  test('npm start ends its services when only npm itself is ended by a signal', async () => {
    const { program, inference, trainer } = await start();
    program.process.kill('SIGTERM');
    await program.finished;
    await gone(`${inference}/healthz`);
    await gone(`${trainer}/healthz`);
  });

  /** `npm start` on free ports; `stop` presses Ctrl-C and expects a clean end. */
  async function start() {
    const program = new Program('npm', ['start'], environment);
    const [, inference = ''] = await program.wrote(/^ {2}inference +(http:\S+)/m);
    const [, trainer = ''] = await program.wrote(/^ {2}trainer +(http:\S+)/m);
    return {
      program,
      inference,
      trainer,
      stop: async () => {
        program.pressControlC();
        const { stdout } = await program.finished; // npm itself ends by the signal, as its shell does
        for (const service of ['inference', 'trainer'])
          assert.match(stdout, new RegExp(`"name":"${service}","msg":"Stopped"`));
        await gone(`${inference}/healthz`);
        await gone(`${trainer}/healthz`);
      },
    };
  }
});

/** Waits until nobody listens at `url`; fails after ten seconds. */
async function gone(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const answered = await fetch(url).then(
      () => true,
      () => false,
    );
    if (!answered) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} still answers.`);
}

async function waitUntilReady(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if ((await fetch(`${url}/readyz`)).status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} did not become ready.`);
}
