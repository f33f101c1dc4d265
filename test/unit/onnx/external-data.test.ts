import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  boolScalar,
  decodeModel,
  encodeModel,
  externalise,
  float32Tensor,
  graphAttribute,
  model,
  node,
  type OnnxGraph,
  stringTensor,
  value,
} from '@atelier/onnx';
import { temporaryFolder } from '../../support/temporary-folder.ts';

process.env['ORT_DISABLE_TELEMETRY'] = '1'; // read when the library loads
const { InferenceSession, Tensor } = await import('onnxruntime-node');

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
before(async () => {
  folder = await temporaryFolder();
});
after(() => folder.remove());

const SIZE = 300;
const weight = (name: string, factor: number) =>
  float32Tensor(
    name,
    [SIZE],
    Float32Array.from({ length: SIZE }, (_, index) => factor * index),
  );
const branch: OnnxGraph = {
  name: 'then',
  nodes: [node('Mul', ['x', 'inner'], 'product')],
  inputs: [],
  outputs: [value('product', 'float32', [SIZE])],
  initializers: [weight('inner', 3)],
  values: [],
};
const otherwise: OnnxGraph = {
  ...branch,
  name: 'else',
  nodes: [node('Identity', ['x'], 'same')],
  outputs: [value('same', 'float32', [SIZE])],
  initializers: [],
};
/** y = (3i·x) + i, where i is the index. */
const source = model({
  name: 'g',
  nodes: [
    node('If', ['yes'], 'scaled', { then_branch: graphAttribute(branch), else_branch: graphAttribute(otherwise) }),
    node('Add', ['scaled', 'outer'], 'sum'),
    node('Mul', ['sum', 'one'], 'y'),
  ],
  inputs: [value('x', 'float32', [SIZE])],
  outputs: [value('y', 'float32', [SIZE])],
  initializers: [boolScalar('yes', true), weight('outer', 1), float32Tensor('one', [1], [1])],
  values: [],
});

test('larger tensors are in the file, at multiples of 4096; small ones and texts stay', () => {
  const texts = stringTensor('texts', [1], ['x'.repeat(5000)]);
  const graph = { ...source.graph, initializers: [...source.graph.initializers, texts, weight('third', 2)] };
  const { model: external, chunks } = externalise({ ...source, graph }, { location: 'g.onnx.data' });
  const located = external.graph.initializers.map(({ name, external: place, data }) => [name, place, data.length]);
  const length = String(4 * SIZE);
  assert.deepEqual(located, [
    ['yes', undefined, 1],
    ['outer', { location: 'g.onnx.data', offset: '4096', length }, 0],
    ['one', undefined, 4],
    ['texts', undefined, 0],
    ['third', { location: 'g.onnx.data', offset: '8192', length }, 0],
  ]);
  const file = Buffer.concat(chunks);
  assert.deepEqual(new Uint8Array(file.subarray(8192)), graph.initializers[4]?.data);
  assert.ok(chunks.includes(graph.initializers[4]?.data ?? assert.fail()), 'not copied');
  assert.deepEqual(decodeModel(encodeModel(external), 'memory'), external);
});

test('minBytes says from where on; without anything large there is no file', () => {
  const { model: same, chunks } = externalise(source, { location: 'g.data', minBytes: 2000 });
  assert.deepEqual(same, source);
  assert.deepEqual(chunks, []);
  const all = externalise(source, { location: 'g.data', minBytes: 0 }).model.graph.initializers;
  assert.ok(all.every(({ external }) => external));
});

test('training information is written out too', () => {
  const step = { ...otherwise, name: 'step', initializers: [weight('moment', 1)] };
  const trained = { ...source, trainingInfo: [{ algorithm: step, initializationBinding: {}, updateBinding: {} }] };
  const { model: external } = externalise(trained, { location: 'g.data' });
  assert.equal(external.trainingInfo?.[0]?.algorithm?.initializers[0]?.external?.['offset'], '8192');
});

for (const location of ['', '/tmp/x', '../x', 'a/../../x', 'C:\\x', '\\x']) {
  test(`the location "${location}" is refused`, () => {
    assert.throws(() => externalise(source, { location }), /expected a path below the folder of the model/);
  });
}

test("onnxruntime loads a model whose data, a subgraph's too, is in the file beside it", async () => {
  const { model: external, chunks } = externalise(source, { location: 'g.onnx.data', minBytes: 100 });
  const path = join(folder.path, 'g.onnx');
  await writeFile(path, encodeModel(external));
  await writeFile(join(folder.path, 'g.onnx.data'), chunks);
  const session = await InferenceSession.create(path, { executionProviders: ['cpu'] });
  try {
    const { y } = await session.run({ x: new Tensor('float32', new Float32Array(SIZE).fill(2), [SIZE]) });
    assert.deepEqual(
      y?.data,
      Float32Array.from({ length: SIZE }, (_, index) => 7 * index),
    );
  } finally {
    await session.release();
  }
});
