import assert from 'node:assert/strict';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { chooseEngine, readTestLooks, train, type TrainingObserver } from '@atelier/trainer';
import { drawnDataset } from '../support/drawn-dataset.ts';
import { resumeRun } from '../support/resume-run.ts';
import { smallRecipe } from '../support/small-recipe.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a run that was moved elsewhere and is resumed there is counted where all runs are', async (context) => {
  const [runs, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
  context.after(async () => {
    await runs.remove();
    await elsewhere.remove();
  });
  const [engine, dataset] = [await chooseEngine('onnx', 'cpu'), drawnDataset()];
  const controller = new AbortController();
  let directory = '';
  const onRun: TrainingObserver['onRun'] = (_run, path) => (directory = path);
  const request = { recipe: smallRecipe(), engine, dataset, limit: null, runsDirectory: runs.path, publish: null };
  await assert.rejects(train(request, { signal: controller.signal, onRun, onEpoch: () => controller.abort() }));
  const moved = join(elsewhere.path, 'moved');
  await rename(directory, moved);
  const { run } = await resumeRun(moved, {
    engine,
    dataset,
    runsDirectory: runs.path,
    modelsDirectory: runs.path,
    publishAs: null,
  });
  assert.deepEqual(await readTestLooks(runs.path), [{ run: run.id, recipe: 'small' }]);
  assert.deepEqual(await readdir(elsewhere.path), ['moved']);
});
