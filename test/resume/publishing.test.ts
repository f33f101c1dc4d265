import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ChosenEngine, chooseEngine, train } from '@atelier/trainer';
import { drawnDataset } from '../support/drawn-dataset.ts';
import { resumeRun } from '../support/resume-run.ts';
import { smallRecipe } from '../support/small-recipe.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('a run that was published and killed before it could end', () => {
  const dataset = drawnDataset();
  let engine: ChosenEngine;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    engine = await chooseEngine('onnx', 'cpu');
    folder = await temporaryFolder();
  });
  after(() => folder.remove());

  /** Publishes a run, and makes its folder what it was after its last epoch. */
  async function publishedAndKilled(modelsDirectory: string): Promise<string> {
    const recipe = smallRecipe({ epochs: 2 });
    let directory = '';
    const { published } = await train(
      {
        recipe,
        engine,
        dataset,
        limit: null,
        runsDirectory: join(folder.path, 'runs'),
        publish: { modelsDirectory, name: 'small' },
      },
      {
        onRun: (_run, path) => (directory = path),
        onEpoch: () => cpSync(directory, `${directory}-killed`, { recursive: true }),
      },
    );
    assert.equal(published?.version, 1);
    await rm(join(`${directory}-killed`, 'lock'));
    return `${directory}-killed`;
  }

  const goOn = (directory: string, modelsDirectory: string) =>
    resumeRun(directory, { engine, dataset, runsDirectory: folder.path, modelsDirectory, publishAs: null });

  test('takes the version that it became', async () => {
    const models = join(folder.path, 'models');
    const { published, run } = await goOn(await publishedAndKilled(models), models);
    assert.equal(published?.version, 1);
    assert.equal(published.manifest.training.run, run.id);
    assert.deepEqual(run.published, { name: 'small', version: 1 });
    assert.deepEqual(await readdir(join(models, 'small')), ['1']);
  });

  test('publishes nothing where its run.json names a version, though that was taken away', async () => {
    const models = join(folder.path, 'other-models');
    const directory = await publishedAndKilled(models);
    const path = join(directory, 'run.json');
    const run = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(path, JSON.stringify({ ...run, published: { name: 'small', version: 1 } }));
    await rm(join(models, 'small', '1'), { recursive: true });
    const resumed = await goOn(directory, models);
    assert.equal(resumed.published, null);
    assert.deepEqual(resumed.run.published, { name: 'small', version: 1 });
    assert.deepEqual(await readdir(join(models, 'small')), []);
  });
});
