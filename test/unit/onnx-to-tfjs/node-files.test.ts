import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { encodeModel, float32Tensor, type OnnxModel } from '@atelier/onnx';
import { convert } from '@atelier/onnx-to-tfjs';
import { readOnnxModel, writeLayersModel } from '@atelier/onnx-to-tfjs/node';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { TorchExport } from '../../support/torch-export.ts';

describe('an ONNX file', () => {
  test('may keep its weights in a file beside it', async (context) => {
    const folder = await folderOf(context);
    await writeFile(join(folder, 'weights.bin'), new Float32Array([9, 9, 1, 2, 3, 4, 5, 6]));
    await writeFile(join(folder, 'model.onnx'), encodeModel(withExternal({ location: 'weights.bin', offset: '8' })));
    const { artifacts } = convert(await readOnnxModel(join(folder, 'model.onnx')));
    assert.deepEqual([...new Float32Array(new Uint8Array(artifacts.weightData).buffer)], [1, 2, 3, 4, 5, 6]);
  });

  for (const [title, external, says] of [
    ['a file that is missing', { location: 'weights.bin' }, /cannot be read/],
    ['a file outside its folder', { location: '../weights.bin' }, /expected one inside/],
    ['another length than its shape', { location: 'short.bin', length: '4' }, /its shape takes 24/],
    ['a file that is too short', { location: 'short.bin' }, /behind the end/],
  ] as const) {
    test(`is malformed-onnx where a weight is in ${title}`, async (context) => {
      const folder = await folderOf(context);
      await writeFile(join(folder, 'short.bin'), new Uint8Array(4));
      await writeFile(join(folder, 'model.onnx'), encodeModel(withExternal(external)));
      const reading = readOnnxModel(join(folder, 'model.onnx'));
      await assert.rejects(reading, { code: 'malformed-onnx', message: says });
    });
  }

  test('is malformed-onnx where it is missing', async () => {
    await assert.rejects(readOnnxModel('/nowhere/model.onnx'), { code: 'malformed-onnx', message: /cannot be read/ });
  });
});

describe('writing a LayersModel', () => {
  const { artifacts } = convert(perceptron());

  test('makes a folder of model.json and weights.bin, and nothing beside it', async (context) => {
    const folder = await folderOf(context);
    const target = join(folder, 'deep', 'model');
    await writeLayersModel(target, artifacts);
    assert.deepEqual((await readdir(target)).sort(), ['model.json', 'weights.bin']);
    assert.deepEqual(await readdir(join(folder, 'deep')), ['model']);
    const json = JSON.parse(await readFile(join(target, 'model.json'), 'utf8')) as Record<string, unknown>;
    assert.deepEqual(json['weightsManifest'], [{ paths: ['weights.bin'], weights: artifacts.weightSpecs }]);
    assert.equal((await readFile(join(target, 'weights.bin'))).length, artifacts.weightData.length);
  });

  test('replaces a LayersModel and takes an empty folder', async (context) => {
    const folder = await folderOf(context);
    const target = join(folder, 'model');
    await mkdir(target);
    await writeLayersModel(target, artifacts);
    await writeLayersModel(target, artifacts);
    assert.deepEqual(await readdir(folder), ['model']);
  });

  for (const [title, name, content] of [
    ['a folder with something else in it', 'notes.txt', 'mine'],
    ['a folder with another model.json', 'model.json', '{}'],
  ] as const) {
    test(`is output-occupied for ${title}, which stays as it is`, async (context) => {
      const folder = await folderOf(context);
      await writeFile(join(folder, name), content);
      await assert.rejects(writeLayersModel(folder, artifacts), { code: 'output-occupied' });
      assert.equal(await readFile(join(folder, name), 'utf8'), content);
      assert.deepEqual(await readdir(folder), [name]);
    });
  }

  test('is output-occupied for a file', async (context) => {
    const file = join(await folderOf(context), 'file');
    await writeFile(file, 'mine');
    await assert.rejects(writeLayersModel(file, artifacts), { code: 'output-occupied' });
  });
});

function perceptron(): OnnxModel {
  const torch = new TorchExport(1);
  return torch.model({ name: 'x', shape: [3] }, torch.linear('fc', 'x', [3, 2]));
}

function withExternal(external: Record<string, string>): OnnxModel {
  const torch = new TorchExport(1);
  const weight = { ...float32Tensor('w', [3, 2], new Float32Array(6)), data: new Uint8Array(), external };
  return torch.model({ name: 'x', shape: [3] }, torch.op('MatMul', 'fc', ['x', torch.initializer(weight)]));
}

/** A folder that is gone after the test. */
async function folderOf(context: TestContext): Promise<string> {
  const folder = await temporaryFolder();
  context.after(() => folder.remove());
  return folder.path;
}
