import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { after, before, describe, test } from 'node:test';
import { readRun, trainInProcess, type TrainingTask } from '@atelier/trainer';
import { ROOT } from '../support/programs.ts';
import { smallRecipe } from '../support/small-recipe.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('training in a process of its own', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => folder.remove());

  const task = (change: Partial<TrainingTask> = {}): TrainingTask => ({
    work: { kind: 'new', recipe: smallRecipe(), engine: 'auto', device: 'auto', limit: 3000 },
    dataset: { directory: undefined, cacheDirectory: join(ROOT, 'data', 'fashion-mnist') },
    runsDirectory: join(folder.path, 'runs'),
    modelsDirectory: join(folder.path, 'models'),
    publishAs: null,
    ...change,
  });

  test('says what happens, gives the whole result, and leaves this process free (real data)', async () => {
    const seen: string[] = [];
    const before = performance.eventLoopUtilization();
    const result = await trainInProcess(task({ publishAs: 'fashion-mlp' }), {
      onNotice: (message) => seen.push(message.replace(/:.*/, '')),
      onRun: () => seen.push('run'),
      onProgress: () => {
        if (seen.at(-1) !== 'progress') seen.push('progress');
      },
      onEpoch: ({ epoch }) => seen.push(`epoch ${epoch}`),
    });
    assert.ok(performance.eventLoopUtilization(before).utilization < 0.5);
    const epochs = [1, 2, 3].flatMap((epoch) => ['progress', `epoch ${epoch}`]);
    assert.deepEqual(seen, ['Engine', 'Data', 'run', ...epochs, 'Report']);
    assert.equal(result.run.state, 'finished');
    assert.equal(result.history.length, 3);
    assert.equal(result.published?.version, 1);
    assert.equal(result.manifest.metrics.test.count, 10_000);
  });

  test('a report that cannot be written takes nothing from the run (real data)', async () => {
    const notices: string[] = [];
    const { run, directory } = await trainInProcess(task(), {
      onNotice: (message) => notices.push(message),
      onRun: (_run, directory) => writeFileSync(join(directory, 'report'), 'a file where the pictures go'),
    });
    assert.equal((await readRun(directory)).state, 'finished');
    assert.match(notices.at(-1) ?? '', new RegExp(`could not be written: .*npm run report -- ${run.id}`));
  });

  test('keeps the codes and kinds of errors', async () => {
    const elsewhere = { directory: join(folder.path, 'nothing'), cacheDirectory: folder.path };
    await assert.rejects(trainInProcess(task({ dataset: elsewhere })), {
      name: 'DomainError',
      code: 'dataset-not-found',
      message: /nothing lacks train-images/,
    });
    await assert.rejects(trainInProcess(task({ work: { kind: 'resume', run: 'no-such-run' } })), {
      name: 'DomainError',
      code: 'run-not-found',
      message: /No run "no-such-run": no run\.json in /,
    });
  });

  test('keeps a RangeError one (real data)', async () => {
    const work = { kind: 'new', recipe: smallRecipe(), engine: 'auto', device: 'auto', limit: 5 } as const;
    await assert.rejects(trainInProcess(task({ work })), { name: 'RangeError', message: /A limit of 5 images/ });
  });

  test('is interrupted by its signal, also before it has begun (real data)', async () => {
    const endless = {
      kind: 'new',
      recipe: smallRecipe({ epochs: 1000 }),
      engine: 'auto',
      device: 'auto',
      limit: 3000,
    } as const;
    const controller = new AbortController();
    const interrupted = trainInProcess(task({ work: endless }), {
      signal: controller.signal,
      onEpoch: () => controller.abort(),
    });
    await assert.rejects(interrupted, { code: 'training-interrupted', message: /Interrupted in epoch \d/ });
    await assert.rejects(trainInProcess(task({ work: endless }), { signal: AbortSignal.abort() }), {
      code: 'training-interrupted',
      message: /before the training began/,
    });
  });

  test('that ends before it says anything is a crash', async () => {
    // Node itself refuses to start without memory for its heap.
    const options = process.env['NODE_OPTIONS'];
    process.env['NODE_OPTIONS'] = '--max-old-space-size=10';
    try {
      await assert.rejects(trainInProcess(task()), {
        code: 'training-crashed',
        message: /The training process ended by (SIG\w+|exit code \d+) without a result\./,
      });
    } finally {
      if (options === undefined) delete process.env['NODE_OPTIONS'];
      else process.env['NODE_OPTIONS'] = options;
    }
  });
});
