import assert from 'node:assert/strict';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { listVersions } from '@atelier/model-repository';
import { chooseEngine, publishRun, RunFolder, train } from '@atelier/trainer';
import { drawnDataset } from '../../support/drawn-dataset.ts';
import { smallRecipe } from '../../support/small-recipe.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const FILES = ['model.onnx', 'tfjs/model.json', 'tfjs/weights.bin'];

describe('a run that is published after it was trained', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  /** Of a finished run. */
  let trained: string;
  before(async () => {
    folder = await temporaryFolder();
    ({ directory: trained } = await train({
      recipe: smallRecipe({ epochs: 1 }),
      engine: await chooseEngine('onnx', 'cpu'),
      dataset: drawnDataset(),
      limit: null,
      runsDirectory: join(folder.path, 'runs'),
      publish: null,
    }));
  });
  after(() => folder.remove());

  /** Of the same run, for one test to change. */
  async function copyOfRun(name: string): Promise<string> {
    const directory = join(folder.path, name);
    await cp(trained, directory, { recursive: true });
    return directory;
  }

  async function publish(directory: string, models: string) {
    const run = await RunFolder.open(directory);
    try {
      return await publishRun(run, models, 'small');
    } finally {
      await run.release();
    }
  }

  test('becomes a version with its very files, and says so', async () => {
    const models = join(folder.path, 'models');
    const directory = await copyOfRun('plain');
    const published = await publish(directory, models);
    for (const file of FILES) {
      assert.deepEqual(await readFile(join(published.directory, file)), await readFile(join(trained, file)), file);
    }
    const { versions, skipped } = await listVersions(models);
    assert.deepEqual(skipped, []);
    assert.deepEqual(versions, [published]);
    const run = JSON.parse(await readFile(join(directory, 'run.json'), 'utf8')) as { id: string; published: unknown };
    assert.deepEqual(run.published, { name: 'small', version: 1 });
    assert.equal(published.manifest.training.run, run.id);
  });

  test('becomes the same version once more', async () => {
    const models = join(folder.path, 'models-twice');
    const directory = await copyOfRun('twice');
    await publish(directory, models);
    assert.equal((await publish(directory, models)).version, 1);
    assert.deepEqual(await readdir(join(models, 'small')), ['1']);
  });

  test('is refused while it is not finished', async () => {
    const directory = await copyOfRun('interrupted');
    const path = join(directory, 'run.json');
    const run = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(path, JSON.stringify({ ...run, state: 'interrupted' }));
    await assert.rejects(publish(directory, join(folder.path, 'no-models')), {
      code: 'run-unfinished',
      message: /^Run \S+ is interrupted; only a finished run can be published\.$/,
    });
  });

  const damages: [string, string, RegExp, (directory: string) => Promise<void>][] = [
    ['without its model', 'invalid-run', /lacks model\.onnx/, (directory) => rm(join(directory, 'model.onnx'))],
    ['without its weights', 'invalid-run', /weights\.bin/, (directory) => rm(join(directory, 'tfjs/weights.bin'))],
    [
      'with a model that was cut off',
      'golden-mismatch',
      /model\.onnx cannot be loaded/,
      async (directory) => {
        const path = join(directory, 'model.onnx');
        await writeFile(path, (await readFile(path)).subarray(0, -100));
      },
    ],
    [
      'with the model of another training',
      'golden-mismatch',
      /Golden image \d+, class \d: probability .* the manifest says/,
      async (directory) => {
        const path = join(directory, 'manifest.json');
        const manifest = JSON.parse(await readFile(path, 'utf8')) as { golden: { probabilities: number[][] } };
        manifest.golden.probabilities.reverse();
        await writeFile(path, JSON.stringify(manifest));
      },
    ],
  ];
  for (const [name, code, message, damage] of damages) {
    test(`is refused ${name}, and nothing is published`, async () => {
      const models = join(folder.path, 'no-models');
      const directory = await copyOfRun(name.replaceAll(/\W/g, '-'));
      await damage(directory);
      await assert.rejects(publish(directory, models), { code, message });
      await assert.rejects(readdir(models), { code: 'ENOENT' });
    });
  }
});
