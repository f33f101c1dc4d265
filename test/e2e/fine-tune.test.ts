import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { encodeModel } from '@atelier/onnx';
import { digestOf, resolveVersion } from '@atelier/model-repository';
import { atelier } from '../support/programs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { torchPerceptron } from '../support/torch-perceptron.ts';

const recipe = {
  name: 'fine-tuned',
  description: 'Goes on from a model of PyTorch',
  hiddenLayers: [
    { units: 32, activation: 'relu', batchNormalization: 'none', dropout: 0.1 },
    { units: 24, activation: 'relu', batchNormalization: 'none', dropout: 0 },
  ],
  initializer: 'torch-linear',
  inputRange: [-1, 1],
  optimizer: { kind: 'adam', learningRate: 0.002 },
  batchSize: 64,
  epochs: 2,
  validationShare: 0.1,
  seed: 3,
};

describe('npm run train -- --from model.onnx (real data)', () => {
  test('a perceptron as PyTorch exports it is trained on Fashion-MNIST and published, with parity at most 1e-5', async (context) => {
    const folder = await temporaryFolder();
    context.after(() => folder.remove());
    const [source, recipeFile] = [join(folder.path, 'torch.onnx'), join(folder.path, 'recipe.json')];
    await writeFile(source, encodeModel(torchPerceptron(11, { units: [32, 24] })));
    await writeFile(recipeFile, JSON.stringify(recipe));
    const environment = { MODELS_DIR: join(folder.path, 'models'), RUNS_DIR: join(folder.path, 'runs') };
    const words = ['train', '--recipe', recipeFile, '--from', source, '--limit', '20000', '--engine', 'onnx'];
    const { code, stdout, stderr } = await atelier([...words, '--publish', '--json'], environment).finished;
    assert.equal(code, 0, stderr);
    const result = JSON.parse(stdout) as { run: string; directory: string; metrics: { test: { accuracy: number } } };
    assert.ok(result.metrics.test.accuracy > 0.75, `accuracy ${result.metrics.test.accuracy}`);
    const expected = { file: 'torch.onnx', digest: digestOf(await readFile(source)) };
    const run = JSON.parse(await readFile(join(result.directory, 'run.json'), 'utf8')) as { source: unknown };
    assert.deepEqual(run.source, expected);
    const { manifest } = await resolveVersion(environment.MODELS_DIR, 'fashion-mlp', 'latest');
    assert.deepEqual(manifest.training.source, expected);
    assert.equal(manifest.parity.images, 10_000);
    assert.ok(manifest.parity.maximumDifference <= 1e-5, `parity ${manifest.parity.maximumDifference}`);
  });

  test("a model that is not the recipe's is named with layer, expected and found, and exits with 2", async (context) => {
    const folder = await temporaryFolder();
    context.after(() => folder.remove());
    const source = join(folder.path, 'torch.onnx');
    await writeFile(source, encodeModel(torchPerceptron(11, { units: [128, 65] })));
    const environment = { RUNS_DIR: join(folder.path, 'runs') };
    const words = ['train', '--recipe', 'mlp-128-64', '--from', source];
    const { code, stderr } = await atelier(words, environment).finished;
    assert.equal(code, 2);
    assert.match(
      stderr,
      /Layer "fc2" of torch\.onnx: expected Dense .*\[128, 64\].* found Dense .*\[128, 65\].*\(source-mismatch\)/,
    );
  });
});
