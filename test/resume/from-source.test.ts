import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { encodeModel } from '@atelier/onnx';
import { beginFrom, chooseEngine, readRun, readSourceModel, train, type TrainingObserver } from '@atelier/trainer';
import { drawnDataset } from '../support/drawn-dataset.ts';
import { drawnExamples } from '../support/drawn-examples.ts';
import { resumeRun } from '../support/resume-run.ts';
import { smallLayer, smallRecipe } from '../support/small-recipe.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { torchPerceptron } from '../support/torch-perceptron.ts';

const recipe = smallRecipe({
  hiddenLayers: [smallLayer({ batchNormalization: 'before-activation', dropout: 0.2 })],
  weightAveraging: { decay: 0.9 },
});

process.env['ORT_DISABLE_TELEMETRY'] = '1'; // read when the library loads
const { InferenceSession, Tensor } = await import('onnxruntime-node');

for (const engineName of ['onnx', 'tfjs'] as const) {
  describe(`a training on ${engineName} that goes on from a model of PyTorch`, () => {
    test('begins with what that model computes', async (context) => {
      const source = torchPerceptron(3, { normalized: true });
      const path = await written(context, source);
      const { create } = await chooseEngine(engineName, 'cpu');
      const engine = await create(recipe);
      context.after(() => engine.dispose());
      await beginFrom(engine, await readSourceModel(path, recipe));
      const { images, count } = drawnExamples(20);
      const session = await InferenceSession.create(path);
      const pixels = Float32Array.from(images, (pixel) => pixel / 255);
      const expected = await session.run({ 'input.1': new Tensor('float32', pixels, [count, 1, 28, 28]) });
      await session.release();
      const logits = Object.values(expected)[0]?.data as Float32Array;
      const largest = logits.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
      (await engine.logits({ images, count })).forEach((logit, index) => {
        assert.ok(Math.abs(logit - (logits[index] ?? NaN)) <= 1e-5 * largest, `logit ${index}`);
      });
    });

    test('says so in run.json and in its manifest, and resumed goes on from its checkpoint to the same bits', async (context) => {
      const folder = await temporaryFolder();
      context.after(() => folder.remove());
      const path = await written(context, torchPerceptron(3, { normalized: true }));
      const source = await readSourceModel(path, recipe);
      const [engine, dataset] = [await chooseEngine(engineName, 'cpu'), drawnDataset()];
      const request = { recipe, source, engine, dataset, limit: null, runsDirectory: folder.path, publish: null };
      const undisturbed = await train(request);
      const { file, digest } = source;
      assert.deepEqual(undisturbed.run.source, { file, digest });
      assert.deepEqual(undisturbed.manifest.training.source, { file, digest });
      assert.deepEqual((await readRun(undisturbed.directory)).source, { file, digest });

      // Once in its first epoch, where no epoch's checkpoint is there yet, and the source is gone; and once in the second.
      const [controller, again] = [new AbortController(), new AbortController()];
      let directory = '';
      const onRun: TrainingObserver['onRun'] = (_run, place) => (directory = place);
      await assert.rejects(train(request, { signal: controller.signal, onRun, onProgress: () => controller.abort() }));
      await rm(path);
      const resumption = { engine, dataset, runsDirectory: folder.path, modelsDirectory: folder.path, publishAs: null };
      await assert.rejects(resumeRun(directory, resumption, { signal: again.signal, onEpoch: () => again.abort() }));
      const resumed = await resumeRun(directory, resumption);
      assert.equal(resumed.run.epochs, recipe.epochs);
      assert.deepEqual(resumed.manifest.metrics, undisturbed.manifest.metrics);
      assert.deepEqual(resumed.run.digests?.['model.onnx'], undisturbed.run.digests?.['model.onnx']);
    });
  });
}

async function written(context: TestContext, model: Parameters<typeof encodeModel>[0]) {
  const { path, ...rest } = await temporaryFolder();
  context.after(() => rest.remove());
  await writeFile(join(path, 'torch.onnx'), encodeModel(model));
  return join(path, 'torch.onnx');
}
