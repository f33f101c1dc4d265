import assert from 'node:assert/strict';
import { appendFile, copyFile, cp, mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Recipe } from '@atelier/domain';
import type { Dataset } from '@atelier/fashion-mnist';
import {
  type ChosenEngine,
  type EpochReport,
  readRun,
  train,
  type TrainingObserver,
  type TrainingResult,
} from '@atelier/trainer';
import { drawnDataset } from './drawn-dataset.ts';
import { resumeRun } from './resume-run.ts';
import { smallRecipe } from './small-recipe.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** What no network learns; it gets worse on validation while it learns the labels by heart. */
const wronglyLabelled = drawnDataset(0.5);
const hiddenLayers = [{ units: 64, activation: 'relu' as const, batchNormalization: 'none' as const, dropout: 0.1 }];

/** What a checkpoint has to hold, each at work. */
const CASES: Record<string, { recipe: Recipe; dataset: Dataset }> = {
  'Adam, batch normalisation, dropout and mirroring': {
    recipe: smallRecipe({ epochs: 5, augmentation: { mirrorProbability: 0.5 } }),
    dataset: drawnDataset(),
  },
  'early stopping and a schedule that waits for a plateau': {
    recipe: smallRecipe({
      hiddenLayers,
      epochs: 8,
      earlyStopping: { monitor: 'validation-loss', patience: 3 },
      schedule: { kind: 'reduce-on-plateau', factor: 0.5, patience: 0 },
    }),
    dataset: wronglyLabelled,
  },
};

/** Runs on an engine are resumed to the bits that they would have had, whatever stopped them. */
export function describeResuming(title: string, choose: () => Promise<ChosenEngine>): void {
  describe(title, () => {
    let engine: ChosenEngine;
    let folder: Awaited<ReturnType<typeof temporaryFolder>>;
    before(async () => {
      engine = await choose();
      folder = await temporaryFolder();
    });
    after(() => folder.remove());

    const start = (recipe: Recipe, dataset: Dataset, observer: TrainingObserver = {}) =>
      train({ recipe, engine, dataset, limit: null, runsDirectory: folder.path, publish: null }, observer);

    /** Trains until `epoch` is done and is interrupted in the next one; the run's folder. */
    async function interruptedAfter(epoch: number, recipe: Recipe, dataset: Dataset): Promise<string> {
      const controller = new AbortController();
      let directory = '';
      const observer: TrainingObserver = {
        signal: controller.signal,
        onRun: (_run, path) => (directory = path),
        onProgress: (progress) => {
          if (progress.epoch > epoch) controller.abort();
        },
      };
      await assert.rejects(start(recipe, dataset, observer), { code: 'training-interrupted' });
      return directory;
    }

    const goOn = (directory: string, dataset: Dataset, observer: TrainingObserver = {}) =>
      resumeRun(
        directory,
        { engine, dataset, runsDirectory: folder.path, modelsDirectory: folder.path, publishAs: null },
        observer,
      );

    async function assertSame(resumed: TrainingResult, whole: TrainingResult): Promise<void> {
      const model = ({ directory }: TrainingResult) => readFile(join(directory, 'model.onnx'));
      assert.ok((await model(resumed)).equals(await model(whole)), 'the same bits of model.onnx');
      assert.deepEqual(withoutTimes(resumed.history), withoutTimes(whole.history));
      assert.equal(resumed.run.bestEpoch, whole.run.bestEpoch);
      assert.deepEqual(resumed.manifest.metrics, whole.manifest.metrics);
      const lines = (await readFile(join(resumed.directory, 'history.ndjson'), 'utf8')).trim().split('\n');
      assert.deepEqual(
        lines.map((line) => JSON.parse(line) as EpochReport),
        resumed.history,
      );
    }

    for (const [title, { recipe, dataset }] of Object.entries(CASES)) {
      test(`interrupted after each epoch ends in the same bits: ${title}`, async () => {
        const whole = await start(recipe, dataset);
        const epochs = whole.history.length;
        const directory = await interruptedAfter(0, recipe, dataset);
        for (let epoch = 1; epoch < epochs; epoch++) {
          const controller = new AbortController();
          const onEpoch = () => controller.abort();
          await assert.rejects(goOn(directory, dataset, { signal: controller.signal, onEpoch }), {
            code: 'training-interrupted',
          });
        }
        const last = await goOn(directory, dataset);
        await assertSame(last, whole);
        assert.equal(last.run.resumedAt.length, epochs);
      });
    }

    test('interrupted between training and export is exported when it is resumed', async () => {
      const { recipe, dataset } = stopping;
      const whole = await start(recipe, dataset);
      const controller = new AbortController();
      let directory = '';
      const interrupted = start(recipe, dataset, {
        signal: controller.signal,
        onRun: (_run, path) => (directory = path),
        onEpoch: ({ epoch }) => {
          if (epoch === whole.history.length) controller.abort();
        },
      });
      await assert.rejects(interrupted, { code: 'training-interrupted', message: /before the export/ });
      const resumed = await goOn(directory, dataset, { onProgress: () => assert.fail('there is nothing to train') });
      await assertSame(resumed, whole);
    });

    test('that another process works on is refused, and goes on', async () => {
      let refused = 0;
      await start(plain.recipe, plain.dataset, {
        onRun: (_run, directory) => {
          void assert.rejects(goOn(directory, plain.dataset), { code: 'run-in-use' }).then(() => refused++);
        },
      });
      assert.equal(refused, 1);
    });

    test('that is finished is refused, keeps no checkpoint and no lock', async () => {
      const { directory } = await start(plain.recipe, plain.dataset);
      const files = (await readdir(directory)).sort();
      assert.ok(files.includes('model.onnx') && !files.includes('checkpoint') && !files.includes('lock'));
      await assert.rejects(goOn(directory, plain.dataset), { code: 'run-finished', message: /is finished; its model/ });
      assert.deepEqual((await readdir(directory)).sort(), files);
    });

    test('that a full disk stopped says so, keeps its last checkpoint and can be resumed', async () => {
      const { recipe, dataset } = stopping;
      let directory = '';
      const stopped = start(recipe, dataset, {
        onRun: (_run, path) => (directory = path),
        onEpoch: ({ epoch }) => {
          // The next checkpoint is written to a device that is full.
          if (epoch === 3) return void symlink('/dev/full', join(directory, 'checkpoint/last.safetensors.part'));
        },
      });
      const message = /no room to write .*last\.safetensors: ENOSPC/;
      await assert.rejects(stopped, { code: 'disk-full', message });
      const run = await readRun(directory);
      assert.deepEqual([run.state, run.error?.code, run.epochs], ['failed', 'disk-full', 3]);
      assert.match(run.error?.message ?? '', message);
      await assertSame(await goOn(directory, dataset), await start(recipe, dataset));
    });

    test('that diverged keeps the checkpoint of its last good epoch', async () => {
      const linear = { units: 16, activation: 'linear', batchNormalization: 'none', dropout: 0 } as const;
      const recipe = smallRecipe({
        hiddenLayers: [linear, linear],
        optimizer: { kind: 'sgd', learningRate: 2 },
        schedule: { kind: 'cosine', warmUpEpochs: 20 }, // rises until it is too high
        epochs: 20,
      });
      let directory = '';
      await assert.rejects(start(recipe, wronglyLabelled, { onRun: (_run, path) => (directory = path) }), {
        code: 'training-diverged',
        message: /^The loss is \S+ in epoch \d+, step \d+, at learning rate 0\.\d+; a lower/,
      });
      const run = await readRun(directory);
      assert.deepEqual([run.state, run.error?.code], ['failed', 'training-diverged']);
      assert.match(run.error?.message ?? '', new RegExp(`in epoch ${run.epochs + 1}, step`));
      assert.ok(run.epochs >= 1);
      // It is a good one: the run goes on from it, to the same end.
      await assert.rejects(goOn(directory, wronglyLabelled), {
        code: 'training-diverged',
        message: run.error?.message,
      });
    });

    const FAULTS: Record<string, { spoil: (directory: string) => Promise<void>; error: object }> = {
      'a checkpoint that is cut off': {
        spoil: (directory) => truncate(join(directory, LAST), 5000),
        error: { code: 'invalid-checkpoint', message: /last\.safetensors: "\S+": expected bytes/ },
      },
      'a checkpoint with one bit changed': {
        async spoil(directory) {
          const bytes = await readFile(join(directory, LAST));
          const middle = Math.floor(bytes.length / 2);
          bytes[middle] = (bytes[middle] ?? 0) ^ 4;
          await writeFile(join(directory, LAST), bytes);
        },
        error: { code: 'invalid-checkpoint', message: /last\.safetensors: digest: expected "sha256:/ },
      },
      'no checkpoint': {
        spoil: (directory) => rm(join(directory, LAST)),
        error: { code: 'invalid-checkpoint', message: /has no checkpoint; expected one of epoch 5/ },
      },
      'no state of its best epoch': {
        spoil: (directory) => rm(join(directory, BEST)),
        error: {
          code: 'invalid-checkpoint',
          message: /best-1\.safetensors: expected the state of epoch 1, the best one, found no such file/,
        },
      },
      'the state of another epoch as its best': {
        spoil: (directory) => copyFile(join(directory, LAST), join(directory, BEST)),
        error: {
          code: 'invalid-checkpoint',
          message: /best-1\.safetensors: expected .*, found the state of epoch 5/,
        },
      },
      'a history with too few epochs': {
        spoil: (directory) => writeFile(join(directory, 'history.ndjson'), ''),
        error: { code: 'invalid-run', message: /history\.ndjson, line 1: / },
      },
      'no history': {
        spoil: (directory) => rm(join(directory, HISTORY)),
        error: { code: 'invalid-run', message: /history\.ndjson is missing; expected 5 epochs/ },
      },
      'a folder for its history': {
        spoil: (directory) => folderFor(join(directory, HISTORY)),
        error: { code: 'invalid-run', message: /history\.ndjson cannot be read: EISDIR/ },
      },
      'a folder for its checkpoint': {
        spoil: (directory) => folderFor(join(directory, LAST)),
        error: { code: 'invalid-checkpoint', message: /last\.safetensors cannot be read: EISDIR/ },
      },
      'a file for the folder of its checkpoints': {
        async spoil(directory) {
          await rm(join(directory, 'checkpoint'), { recursive: true });
          await writeFile(join(directory, 'checkpoint'), '');
        },
        error: { code: 'invalid-checkpoint', message: /last\.safetensors cannot be read: ENOTDIR/ },
      },
      'a run.json that is damaged': {
        spoil: (directory) => writeFile(join(directory, 'run.json'), '{"id": 3}'),
        error: { code: 'invalid-run', message: /run\.json: id: / },
      },
    };
    test('is refused, and nothing is changed, where one of its files is damaged', async (context) => {
      const { recipe, dataset } = stopping;
      const interrupted = await interruptedAfter(5, recipe, dataset);
      for (const [what, { spoil, error }] of Object.entries(FAULTS)) {
        await context.test(what, async () => {
          const directory = `${interrupted}-${what.replaceAll(' ', '-')}`;
          await cp(interrupted, directory, { recursive: true });
          await spoil(directory);
          const files = () =>
            Promise.all(
              ['run.json', HISTORY].map((file) =>
                readFile(join(directory, file)).catch(({ code }: NodeJS.ErrnoException) => code),
              ),
            );
          const before = await files();
          await assert.rejects(goOn(directory, dataset), error);
          assert.deepEqual(await files(), before);
          assert.ok(!(await readdir(directory)).includes('lock'));
        });
      }
    });

    test('is refused with other data, on another device, with other software, and with the checkpoint of another recipe', async () => {
      const directory = await interruptedAfter(2, plain.recipe, plain.dataset);
      const digest = `sha256:${'6'.repeat(64)}`;
      await assert.rejects(goOn(directory, { ...plain.dataset, digest }), {
        code: 'invalid-checkpoint',
        message: /data: expected sha256:0+, found sha256:6+/,
      });
      const run = await readRun(directory);
      const device = { ...run.engine, device: 'abacus' };
      await writeFile(join(directory, 'run.json'), JSON.stringify({ ...run, engine: device }));
      await assert.rejects(goOn(directory, plain.dataset), {
        code: 'invalid-checkpoint',
        message: /device: expected abacus, found /,
      });
      const upgraded = { ...run.engine, software: { ...run.engine?.software, 'onnxruntime-node': '1.0.0' } };
      await writeFile(join(directory, 'run.json'), JSON.stringify({ ...run, engine: upgraded }));
      await assert.rejects(goOn(directory, plain.dataset), {
        code: 'invalid-checkpoint',
        message: /software\.onnxruntime-node: expected 1\.0\.0, found \d/,
      });
      await writeFile(
        join(directory, 'run.json'),
        JSON.stringify({ ...run, recipe: { ...run.recipe, batchSize: 30 } }),
      );
      await assert.rejects(goOn(directory, plain.dataset), {
        code: 'invalid-checkpoint',
        message: /last\.safetensors: recipe\.batchSize: expected 30, found 20/,
      });
    });

    test('that was killed between two writes goes on all the same', async () => {
      const { recipe, dataset } = plain;
      const whole = await start(recipe, dataset);
      const directory = await interruptedAfter(2, recipe, dataset);
      const run = await readRun(directory);
      await writeFile(
        join(directory, 'run.json'),
        JSON.stringify({ ...run, state: 'running', epochs: 1, error: null }),
      );
      await appendFile(join(directory, 'history.ndjson'), '{"epoch":3,"trainingLo');
      await writeFile(join(directory, LAST + '.part'), 'half a file');
      await assertSame(await goOn(directory, dataset), whole);
    });
  });
}

const HISTORY = 'history.ndjson';
const LAST = 'checkpoint/last.safetensors';
const BEST = 'checkpoint/best-1.safetensors';
const plain = { recipe: smallRecipe({ epochs: 4 }), dataset: drawnDataset() };
/** Asks for an improvement that no epoch brings: the first stays the best, and the seventh is the last. */
const stopping = {
  recipe: smallRecipe({
    hiddenLayers,
    epochs: 8,
    earlyStopping: { monitor: 'validation-loss', patience: 6, minimumImprovement: 10 },
  }),
  dataset: wronglyLabelled,
};

async function folderFor(file: string): Promise<void> {
  await rm(file);
  await mkdir(file);
}

function withoutTimes(history: EpochReport[]) {
  return history.map(({ epoch, trainingLoss, validation, learningRate }) => ({
    epoch,
    trainingLoss,
    validation,
    learningRate,
  }));
}
