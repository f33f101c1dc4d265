import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ChosenEngine, chooseEngine, train, type TrainingObserver } from '@atelier/trainer';
import { drawnDataset } from '../support/drawn-dataset.ts';
import { resumeRun } from '../support/resume-run.ts';
import { smallRecipe } from '../support/small-recipe.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('a number of threads that was asked for', () => {
  const dataset = drawnDataset();
  /** Not what a run takes here by itself. */
  const threads = availableParallelism() + 1;
  let engine: ChosenEngine;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    engine = await chooseEngine('onnx', 'cpu');
    folder = await temporaryFolder();
  });
  after(() => folder.remove());

  const start = (observer: TrainingObserver = {}) =>
    train(
      {
        recipe: smallRecipe(),
        engine,
        threads,
        dataset,
        limit: null,
        runsDirectory: folder.path,
        publish: null,
      },
      observer,
    );

  async function interrupted(): Promise<string> {
    const controller = new AbortController();
    let directory = '';
    const onRun: TrainingObserver['onRun'] = (_run, path) => (directory = path);
    const ended = start({ signal: controller.signal, onRun, onEpoch: () => controller.abort() });
    await assert.rejects(ended, { code: 'training-interrupted' });
    return directory;
  }

  const goOn = (directory: string) =>
    resumeRun(directory, {
      engine,
      dataset,
      runsDirectory: folder.path,
      modelsDirectory: folder.path,
      publishAs: null,
    });

  test('is kept in the run, and a resumed one takes as many and ends in the same bits', async () => {
    const whole = await start();
    assert.equal(whole.run.engine.threads, threads);
    assert.equal(whole.manifest.training.device, `cpu, ${threads} threads`);
    const resumed = await goOn(await interrupted());
    const model = (directory: string) => readFile(join(directory, 'model.onnx'));
    assert.ok((await model(resumed.directory)).equals(await model(whole.directory)));
  });

  test('is taken from the words of a run that has no number', async () => {
    const directory = await interrupted();
    const path = join(directory, 'run.json');
    const run = JSON.parse(await readFile(path, 'utf8')) as { engine: object };
    await writeFile(path, JSON.stringify({ ...run, engine: { ...run.engine, threads: undefined } }));
    assert.equal((await goOn(directory)).run.engine.device, `cpu, ${threads} threads`);
  });

  test('is refused by an engine that has none to choose', async () => {
    const request = { recipe: smallRecipe(), dataset, limit: null, runsDirectory: folder.path, publish: null };
    await assert.rejects(train({ ...request, engine: await chooseEngine('tfjs', 'cpu'), threads: 2 }), {
      code: 'invalid-configuration',
      message: /^2 threads were asked for; only the ONNX engine on the CPU .* The engine would be tfjs on wasm/,
    });
  });
});
