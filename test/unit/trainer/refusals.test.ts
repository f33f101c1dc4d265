import assert from 'node:assert/strict';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { performTask, type TrainingTask } from '@atelier/trainer';
import { smallRecipe } from '../../support/small-recipe.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('a task that cannot be done', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    folder = await temporaryFolder();
    await writeFile(join(folder.path, 'file'), '');
  });
  after(() => folder.remove());

  /** There is no data set: what does not say so was refused before it was looked for. */
  const task = (change: Partial<TrainingTask>, recipe = smallRecipe()): TrainingTask => ({
    work: { kind: 'new', recipe, engine: 'onnx', device: 'cpu', limit: null },
    dataset: { directory: join(folder.path, 'no-data'), cacheDirectory: join(folder.path, 'no-data') },
    runsDirectory: join(folder.path, 'runs'),
    modelsDirectory: join(folder.path, 'models'),
    publishAs: null,
    ...change,
  });

  test('for want of a folder for runs or models is refused before the data set is loaded', async () => {
    const file = join(folder.path, 'file');
    const code = 'invalid-configuration';
    await assert.rejects(performTask(task({ runsDirectory: file })), {
      code,
      message: /file is no folder that can be written \(RUNS_DIR\): .* is a file$/,
    });
    await assert.rejects(performTask(task({ modelsDirectory: join(file, 'models'), publishAs: 'small' })), {
      code,
      message: /\(MODELS_DIR\): ENOTDIR/,
    });
  });

  test('for a link to nothing in the place of a folder is refused before the data set is loaded', async () => {
    const link = join(folder.path, 'link');
    await symlink(join(folder.path, 'nowhere'), link);
    for (const modelsDirectory of [link, join(link, 'models')]) {
      await assert.rejects(performTask(task({ modelsDirectory, publishAs: 'small' })), {
        code: 'invalid-configuration',
        message: /link is a link to nothing$/,
      });
    }
  });

  test('leaves nothing behind', async () => {
    const empty = join(folder.path, 'empty');
    await mkdir(empty);
    const directories = { runsDirectory: join(empty, 'a', 'runs'), modelsDirectory: join(empty, 'models') };
    await assert.rejects(performTask(task({ ...directories, publishAs: 'small' })), { code: 'dataset-not-found' });
    assert.deepEqual(await readdir(empty), []);
  });

  test('for want of a teacher is refused before the data set is loaded', async () => {
    const distillation = { teacher: 'nobody', digest: `sha256:${'0'.repeat(64)}`, share: 0.5, temperature: 2 };
    await assert.rejects(performTask(task({}, smallRecipe({ distillation }))), { code: 'teacher-not-found' });
  });

  test('is refused where the file system makes no folders, instead of waiting without end', async () => {
    for (const runsDirectory of ['/proc/no-runs', '/proc/no/runs', '/proc']) {
      await assert.rejects(performTask(task({ runsDirectory })), {
        code: 'invalid-configuration',
        message: /^\/proc\S* is no folder that can be written \(RUNS_DIR\): ENOENT/,
      });
    }
  });

  test('is refused where its network is too large to be kept and exported', async () => {
    const hidden = { units: 16_384, activation: 'relu', batchNormalization: 'none', dropout: 0 } as const;
    const recipe = (layers: number) => smallRecipe({ hiddenLayers: new Array<typeof hidden>(layers).fill(hidden) });
    await assert.rejects(performTask(task({}, recipe(4))), {
      code: 'invalid-recipe',
      message: /^The network of "small" has 818,\d{3},\d{3} parameters, .* take 9,\d{3} MiB; at most 2,047 MiB can/,
    });
    await assert.rejects(performTask(task({}, recipe(1))), { code: 'dataset-not-found' });
  });
});
