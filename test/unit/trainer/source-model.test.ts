import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { encodeModel, int, ints, node, type OnnxModel, value } from '@atelier/onnx';
import { digestOf } from '@atelier/model-repository';
import { initialState, layersModel, readSourceModel, RECIPES } from '@atelier/trainer';
import { convert } from '@atelier/tfjs-to-onnx';
import { smallLayer, smallRecipe } from '../../support/small-recipe.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { TorchExport } from '../../support/torch-export.ts';
import { type PerceptronOptions, torchPerceptron } from '../../support/torch-perceptron.ts';

const plain = smallRecipe({ hiddenLayers: [smallLayer()] });

describe('a model to go on from', () => {
  test("as PyTorch exports it gives its weights to the recipe's layers, and its name without a path", async (context) => {
    const model = torchPerceptron(1, { units: [16, 12] });
    const recipe = smallRecipe({ hiddenLayers: [smallLayer(), smallLayer({ units: 12 })] });
    const path = await fileOf(context, model);
    const { file, digest, tensors } = await readSourceModel(path, recipe);
    assert.deepEqual([file, digest], ['model.onnx', digestOf(encodeModel(model))]);
    assert.deepEqual(
      Object.entries(tensors).map(([name, { shape }]) => `${name} ${shape.join('x')}`),
      [
        ...['hidden_1/bias 16', 'hidden_1/kernel 784x16', 'hidden_2/bias 12', 'hidden_2/kernel 16x12'],
        ...['logits/bias 10', 'logits/kernel 12x10'],
      ],
    );
    const weight = model.graph.initializers.find(({ name }) => name === 'fc2.weight');
    const rows = new Float32Array(new Uint8Array(weight?.data ?? []).buffer); // [12, 16]
    assert.equal(tensors['hidden_2/kernel']?.data[3 * 12 + 5], rows[5 * 16 + 3]);
  });

  test('may be what any recipe of ours exports, and comes back tensor by tensor', async (context) => {
    for (const recipe of RECIPES.values()) {
      const { tensors } = changedState(recipe.seed, recipe);
      const { model } = convert(layersModel(recipe, { tensors }));
      const source = await readSourceModel(await fileOf(context, model, recipe.name), recipe);
      assert.deepEqual(source.tensors, tensors);
    }
  });

  test('may have outlier scores behind its logits, as published versions have, which are passed over', async (context) => {
    const recipe = smallRecipe({ hiddenLayers: [smallLayer()] });
    const { tensors } = changedState(1, recipe);
    const { model } = convert(layersModel(recipe, { tensors }));
    const { graph } = model;
    const score = node('ReduceMin', ['logits'], 'outlier_score', { axes: ints([1]), keepdims: int(0) });
    const scored = {
      ...graph,
      nodes: [...graph.nodes, node('Softmax', ['logits'], 'probabilities'), score],
      outputs: [
        ...graph.outputs,
        value('probabilities', 'float32', ['batch', 10]),
        value('outlier_score', 'float32', ['batch']),
      ],
    };
    const source = await readSourceModel(await fileOf(context, { ...model, graph: scored }), recipe);
    assert.deepEqual(source.tensors, tensors);
  });

  test('may lack biases, which begin with zeros', async (context) => {
    const torch = new TorchExport(1);
    const flat = torch.view('input');
    const hidden = torch.op('Relu', 'relu', [torch.linear('fc1', flat, [784, 16], false)]);
    const model = torch.model({ name: 'input', shape: [28, 28] }, torch.linear('fc2', hidden, [16, 10]));
    const { tensors } = await readSourceModel(await fileOf(context, model), plain);
    assert.deepEqual(tensors['hidden_1/bias']?.data, new Float32Array(16));
  });

  const refusals: Record<string, [options: Partial<PerceptronOptions>, says: RegExp]> = {
    'another width': [
      { units: [17] },
      /Layer "fc1" of model\.onnx: expected Dense with a kernel of \[784, 16\] \(the recipe's hidden_1\), found Dense with a kernel of \[784, 17\]/,
    ],
    'another activation': [{ activation: 'Tanh' }, /Layer "relu1" .*expected activation relu .*found activation tanh/],
    'batch normalisation that the recipe lacks': [
      { normalized: true },
      /Layer "bn1" .*expected activation relu .*found BatchNormalization of 16 with epsilon 0\.001/,
    ],
    'a layer more': [
      { units: [16, 16] },
      /Layer "fc2" .*kernel of \[16, 10\].*found Dense with a kernel of \[16, 16\]/,
    ],
    'other images': [{ shape: [3, 32, 32] }, /Layer "input\.1" .*expected an input of 784 pixels, found \[3, 32, 32\]/],
    'a layer that no recipe has': [{ activation: 'LeakyRelu' }, /Layer "relu1" .*found a LeakyReLU/],
  };
  for (const [title, [options, says]] of Object.entries(refusals)) {
    test(`with ${title} is source-mismatch, with layer, expected and found`, async (context) => {
      const path = await fileOf(context, torchPerceptron(1, options));
      await assert.rejects(readSourceModel(path, plain), { code: 'source-mismatch', message: says });
    });
  }

  test('without the batch normalisation of the recipe says where it may have gone', async (context) => {
    const recipe = smallRecipe(); // normalises before its activation
    const path = await fileOf(context, torchPerceptron(1));
    const says = /expected BatchNormalization of 16 .*found activation relu\. Exporters fold it/;
    await assert.rejects(readSourceModel(path, recipe), { code: 'source-mismatch', message: says });
  });

  test('with another epsilon, or other scaling of the pixels, is source-mismatch', async (context) => {
    const normalized = await fileOf(context, torchPerceptron(1, { normalized: true }));
    const other = smallRecipe({ batchNormalization: { epsilon: 0.01 } });
    await assert.rejects(readSourceModel(normalized, other), {
      code: 'source-mismatch',
      message: /epsilon 0\.01 .*epsilon 0\.001/,
    });
    const [signed, unsigned] = [smallRecipe({ inputRange: [-1, 1] }), smallRecipe()];
    const { model } = convert(layersModel(signed, { tensors: initialState(signed) }));
    const path = await fileOf(context, model, 'signed');
    await assert.rejects(readSourceModel(path, unsigned), {
      code: 'source-mismatch',
      message: /expected pixels times .*found pixels times/,
    });
  });

  test('that branches is source-mismatch', async (context) => {
    const torch = new TorchExport(1);
    const flat = torch.view('input');
    const sum = torch.op('Add', 'sum', [torch.linear('a', flat, [784, 16]), torch.linear('b', flat, [784, 16])]);
    const path = await fileOf(
      context,
      torch.model({ name: 'input', shape: [28, 28] }, torch.linear('c', sum, [16, 10])),
    );
    await assert.rejects(readSourceModel(path, plain), { code: 'source-mismatch', message: /a layer that takes/ });
  });

  test('that is missing is malformed-onnx', async () => {
    await assert.rejects(readSourceModel('/nowhere/model.onnx', plain), { code: 'malformed-onnx' });
  });
});

/** Running statistics and gains that are not what a network begins with. */
function changedState(seed: number, recipe: Parameters<typeof initialState>[0]) {
  const tensors = initialState(recipe);
  for (const tensor of Object.values(tensors)) {
    tensor.data = tensor.data.map((value, index) => value + ((index * 7 + seed) % 13) / 16);
  }
  return { tensors };
}

async function fileOf(context: TestContext, model: OnnxModel, folder = 'model'): Promise<string> {
  const { path, ...rest } = await temporaryFolder();
  context.after(() => rest.remove());
  await mkdir(join(path, folder));
  await writeFile(join(path, folder, 'model.onnx'), encodeModel(model));
  return join(path, folder, 'model.onnx');
}
