import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { SUPPORTED_OPERATORS } from '@atelier/onnx-to-tfjs';
import { withOperators } from '../../../packages/onnx-to-tfjs/operator-table.ts';

const home = new URL('../../../packages/onnx-to-tfjs/', import.meta.url);
const parity = new URL('../../parity/onnx-to-tfjs.test.ts', import.meta.url);

test("the README's table is what the rules say: `npm run generate:onnx-operators` writes it", async () => {
  const readme = await readFile(new URL('README.md', home), 'utf8');
  assert.equal(withOperators(readme), readme);
});

test('every operator with a rule is in a network that is compared with onnxruntime', async () => {
  const cases = await readFile(parity, 'utf8');
  // Written by the methods of TorchExport, or where the cases of one operator are listed.
  const written = ['BatchNormalization', 'Conv', 'Gemm'];
  const missing = Object.keys(SUPPORTED_OPERATORS).filter(
    (name) => !written.includes(name) && !new RegExp(`'${name}'|\\b${name}: \\{`).test(cases),
  );
  assert.deepEqual(missing, []);
});
