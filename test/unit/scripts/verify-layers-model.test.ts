import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeModel, ints } from '@atelier/onnx';
import { convert } from '@atelier/onnx-to-tfjs';
import { transposedValues } from '../../../scripts/src/verification/transposed-values.ts';
import { verifyLayersModel } from '../../../scripts/src/verification/verify-layers-model.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { TorchExport } from '../../support/torch-export.ts';

test('values are moved to the axes that a permutation says', () => {
  const values = { type: 'float32' as const, shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const { shape, data } = transposedValues(values, [1, 0]);
  assert.deepEqual(
    [shape, [...data]],
    [
      [3, 2],
      [1, 4, 2, 5, 3, 6],
    ],
  );
});

test('images in and out are laid out as each model wants them; a weight that differs is seen', async (context) => {
  const folder = await temporaryFolder();
  context.after(() => folder.remove());
  const torch = new TorchExport(1);
  const pooled = torch.op('MaxPool', 'pool', [torch.conv('conv', 'x', [2, 3, 3, 3])], { kernel_shape: ints([2, 2]) });
  const model = torch.model({ name: 'x', shape: [2, 7, 6] }, pooled);
  const path = join(folder.path, 'model.onnx');
  await writeFile(path, encodeModel(model));
  const conversion = convert(model);
  const { verified, largestDifference } = await verifyLayersModel(conversion, { path, model });
  assert.ok(verified && largestDifference !== null && largestDifference < 1e-6);

  const weightData = conversion.artifacts.weightData.slice();
  new DataView(weightData.buffer).setFloat32(0, 3, true);
  const changed = { ...conversion, artifacts: { ...conversion.artifacts, weightData } };
  const found = await verifyLayersModel(changed, { path, model });
  assert.equal(found.verified, false);
  assert.match(found.reason ?? '', /differs by .* of its largest value/);
});
