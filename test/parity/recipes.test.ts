import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PUBLISHED_GRAPH, publishedOutputs } from '@atelier/domain';
import type { Dataset } from '@atelier/fashion-mnist';
import { readModel, resolveVersion } from '@atelier/model-repository';
import { decodeModel } from '@atelier/onnx';
import { chooseEngine, RECIPES, readRun, train } from '@atelier/trainer';
import { drawnExamples } from '../support/drawn-examples.ts';

const dataset: Dataset = {
  train: drawnExamples(1200, 1, 0.2),
  test: drawnExamples(200, 2, 0.2),
  digest: `sha256:${'0'.repeat(64)}`,
  source: 'drawn by the test',
};

describe('every recipe from training to a published version, on drawn images', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'atelier-recipes-'));
  });
  after(() => rm(directory, { recursive: true }));

  for (const recipe of RECIPES.values()) {
    test(`${recipe.name}: the published graph computes what was trained`, async () => {
      const modelsDirectory = join(directory, recipe.name);
      const result = await train({
        recipe: { ...recipe, epochs: 2, earlyStopping: null },
        engine: await chooseEngine('tfjs'),
        dataset,
        limit: null,
        runsDirectory: join(directory, 'runs'),
        publish: { modelsDirectory, name: 'fashion-mlp' },
      });
      const published = await resolveVersion(modelsDirectory, 'fashion-mlp', 'latest');
      const { parity, metrics, training } = published.manifest;
      assert.equal(parity.images, 200);
      assert.ok(parity.maximumDifference <= 1e-5, `parity ${parity.maximumDifference}`);
      assert.ok(
        parity.maximumDifference > 0,
        'two runtimes that agree to the last bit on everything would be suspicious',
      );
      assert.equal(metrics.test.count, 200);
      assert.equal(metrics.train.count + metrics.validation.count, 1200);
      assert.equal(training.epochs, 2);

      const { graph, metadata } = decodeModel(await readModel(published), 'model.onnx');
      const edge = ({ name, type, shape }: { name: string; type: string; shape: unknown }) => ({ name, type, shape });
      assert.deepEqual(graph.inputs.map(edge), PUBLISHED_GRAPH.inputs.map(edge));
      assert.deepEqual(graph.outputs.map(edge), publishedOutputs(published.manifest).map(edge));
      assert.equal(graph.outputs.length, 3);
      assert.equal(metadata['run'], undefined, 'runs of the same seed give the same bytes');
      assert.equal(metadata['data'], result.run.data.digest);

      const run = await readRun(result.directory);
      assert.equal(run.state, 'finished');
      assert.deepEqual(run.published, { name: 'fashion-mlp', version: 1 });
      const saved = JSON.parse(await readFile(join(published.directory, 'tfjs', 'model.json'), 'utf8')) as {
        format: string;
      };
      assert.equal(saved.format, 'layers-model');
    });
  }

  test('a network that the export does not reproduce is not published and the run says parity-failed', async () => {
    const recipe = RECIPES.get('ann-128');
    assert.ok(recipe);
    const chosen = await chooseEngine('tfjs');
    const modelsDirectory = join(directory, 'never');
    const forgetful: typeof chosen = {
      ...chosen,
      create: async (each) => {
        const engine = await chosen.create(each);
        const logits = engine.logits.bind(engine);
        // Answers for the images of another order, as a wrongly transposed export would.
        engine.logits = async (examples) => (await logits(examples)).toReversed();
        return engine;
      },
    };
    const request = {
      recipe: { ...recipe, epochs: 1 },
      engine: forgetful,
      dataset,
      limit: null,
      runsDirectory: join(directory, 'runs'),
      publish: { modelsDirectory, name: 'fashion-mlp' },
    };
    let failed = '';
    await assert.rejects(train(request, { onRun: (_run, place) => (failed = place) }), {
      code: 'parity-failed',
      message: /at most 0.00001|at most 1e-5/,
    });
    const run = await readRun(failed);
    assert.deepEqual([run.state, run.error?.code, run.published], ['failed', 'parity-failed', null]);
    await assert.rejects(readFile(join(modelsDirectory, 'fashion-mlp', '1', 'model.onnx')), { code: 'ENOENT' });
  });
});
