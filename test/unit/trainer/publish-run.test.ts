import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { listVersions } from '@atelier/model-repository';
import { type ChosenEngine, chooseEngine, publishRun, RunFolder, train } from '@atelier/trainer';
import { drawnDataset } from '../../support/drawn-dataset.ts';
import { smallRecipe } from '../../support/small-recipe.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const FILES = ['model.onnx', 'tfjs/model.json', 'tfjs/weights.bin'];

describe('a run that is published after it was trained', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let engine: ChosenEngine;
  /** Two finished runs of the same recipe and seed, whose models have the same bits. */
  let trained: string;
  let twin: string;
  before(async () => {
    folder = await temporaryFolder();
    engine = await chooseEngine('onnx', 'cpu');
    trained = await trainedRun();
    twin = await trainedRun();
  });
  after(() => folder.remove());

  async function trainedRun(seed = 7): Promise<string> {
    const recipe = smallRecipe({ epochs: 1, seed });
    const runsDirectory = join(folder.path, 'runs');
    const request = { recipe, engine, dataset: drawnDataset(), limit: null, runsDirectory, publish: null };
    return (await train(request)).directory;
  }

  /** Of the same run, for one test to change. */
  async function copyOfRun(name: string): Promise<string> {
    const directory = join(folder.path, name.replaceAll(/\W/g, '-'));
    await cp(trained, directory, { recursive: true });
    return directory;
  }

  async function publish(directory: string, models: string) {
    const run = await RunFolder.open(directory);
    try {
      return await publishRun(run, models, 'small', { force: true });
    } finally {
      await run.release();
    }
  }

  test('becomes a version with its very files, and says so', async () => {
    const models = join(folder.path, 'models');
    const directory = await copyOfRun('plain');
    const { version, isNew } = await publish(directory, models);
    assert.ok(isNew);
    for (const file of FILES) {
      assert.deepEqual(await readFile(join(version.directory, file)), await readFile(join(trained, file)), file);
    }
    const { versions, skipped } = await listVersions(models);
    assert.deepEqual(skipped, []);
    assert.deepEqual(versions, [version]);
    const run = await changeJson<{ id: string; published: unknown }>(join(directory, 'run.json'));
    assert.deepEqual(run.published, { name: 'small', version: 1 });
    assert.equal(version.manifest.training.run, run.id);
  });

  test('is the same version once more, and another one where that was damaged', async () => {
    const models = join(folder.path, 'models-twice');
    const directory = await copyOfRun('twice');
    const { version: first } = await publish(directory, models);
    assert.deepEqual(await publish(directory, models), { version: first, isNew: false });
    await writeFile(join(first.directory, 'model.onnx'), 'damaged');
    const { version: second, isNew } = await publish(directory, models);
    assert.deepEqual([second.version, isNew], [2, true]);
  });

  test('is not the version of another run, though the models are the same', async () => {
    const models = join(folder.path, 'models-of-twins');
    const [first, second] = [await publish(trained, models), await publish(twin, models)];
    assert.equal(first.version.manifest.digest, second.version.manifest.digest);
    assert.deepEqual([first.version.version, second.version.version], [1, 2]);
  });

  test('of a time when no digests were written is published by its golden answers', async () => {
    const directory = await copyOfRun('older');
    await changeJson(join(directory, 'run.json'), ({ digests, ...run }: Record<string, unknown>) => {
      assert.deepEqual(Object.keys(digests as object).sort(), ['manifest.json', ...FILES]);
      return run;
    });
    assert.ok((await publish(directory, join(folder.path, 'models-of-older'))).isNew);
  });

  const states = [
    ['running', 'was cut short'],
    ['interrupted', 'was interrupted'],
    ['failed', 'failed'],
  ];
  for (const [state, words] of states) {
    test(`is refused where it ${words}`, async () => {
      const directory = await copyOfRun(`state ${state}`);
      await changeJson(join(directory, 'run.json'), (run: object) => ({ ...run, state }));
      await assert.rejects(publish(directory, join(folder.path, 'no-models')), {
        code: 'run-unfinished',
        message: new RegExp(`^Run \\S+ ${words}; only a finished run can be published\\.$`),
      });
    });
  }

  test('is refused where versions cannot be written', async () => {
    const models = join(folder.path, 'closed-models');
    await mkdir(models);
    await writeFile(join(models, 'small'), 'no folder');
    await assert.rejects(publish(await copyOfRun('closed'), models), {
      code: 'invalid-configuration',
      message: /closed-models\/small is no folder that can be written \(MODELS_DIR\)/,
    });
  });

  const withoutDigests = (run: object) => ({ ...run, digests: null });
  const damages: [string, string, RegExp, (directory: string) => Promise<unknown>][] = [
    ['without its model', 'invalid-run', /lacks model\.onnx/, (directory) => rm(join(directory, 'model.onnx'))],
    ['without its weights', 'invalid-run', /weights\.bin/, (directory) => rm(join(directory, 'tfjs/weights.bin'))],
    ...FILES.map((file): (typeof damages)[number] => [
      `with another bit in ${file}`,
      'invalid-run',
      /has digest sha256:\w+; the run wrote sha256:\w+\.$/,
      async (directory) => {
        const path = join(directory, file);
        const bytes = await readFile(path);
        bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
        await writeFile(path, bytes);
      },
    ]),
    [
      'with the manifest of another run',
      'invalid-run',
      /manifest\.json is of run \S+, not \S+\.$/,
      (directory) => cp(join(twin, 'manifest.json'), join(directory, 'manifest.json')),
    ],
    [
      'with a manifest that lacks a field',
      'invalid-manifest',
      /golden/,
      (directory) => changeJson(join(directory, 'manifest.json'), (manifest: object) => ({ ...manifest, golden: {} })),
    ],
    [
      'without digests, with a model that is cut off',
      'golden-mismatch',
      /model\.onnx does not compute/,
      async (directory) => {
        await changeJson(join(directory, 'run.json'), withoutDigests);
        const path = join(directory, 'model.onnx');
        await writeFile(path, (await readFile(path)).subarray(0, -100));
      },
    ],
    [
      'without digests, with a model that takes another input',
      'golden-mismatch',
      /model\.onnx does not compute: .*imagf/,
      async (directory) => {
        await changeJson(join(directory, 'run.json'), withoutDigests);
        const path = join(directory, 'model.onnx');
        const bytes = await readFile(path);
        for (let at = bytes.indexOf('image'); at >= 0; at = bytes.indexOf('image')) bytes.write('imagf', at);
        await writeFile(path, bytes);
      },
    ],
    [
      'without digests, with the model of another seed',
      'golden-mismatch',
      /Golden image \d+, class \d: probability .* the manifest says/,
      async (directory) => {
        await changeJson(join(directory, 'run.json'), withoutDigests);
        await cp(join(await trainedRun(8), 'model.onnx'), join(directory, 'model.onnx'));
      },
    ],
  ];
  for (const [name, code, message, damage] of damages) {
    test(`is refused ${name}, and nothing is published`, async () => {
      const models = join(folder.path, 'no-models');
      const directory = await copyOfRun(name);
      await damage(directory);
      await assert.rejects(publish(directory, models), { code, message });
      await assert.rejects(readdir(models), { code: 'ENOENT' });
    });
  }
});

/** What a JSON file holds, after it was changed where a change is given. */
async function changeJson<Value extends object>(path: string, change?: (value: Value) => object): Promise<Value> {
  const value = JSON.parse(await readFile(path, 'utf8')) as Value;
  if (change !== undefined) await writeFile(path, JSON.stringify(change(value)));
  return value;
}
