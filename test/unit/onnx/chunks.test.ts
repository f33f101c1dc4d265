import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeModel,
  encodeModel,
  encodeModelChunks,
  graphAttribute,
  model,
  node,
  type OnnxGraph,
  type OnnxTensor,
  stringTensor,
  tensorAttribute,
  value,
} from '@atelier/onnx';
import { GRAPH, message, MODEL, TENSOR } from './wire.ts';

const LARGE = 40_000;

function filled(name: string, bytes: number, byte: number): OnnxTensor {
  return { name, type: 'uint8', shape: [bytes], data: new Uint8Array(bytes).fill(byte) };
}

function graphOf(name: string, initializers: OnnxTensor[], nodes: OnnxGraph['nodes'] = []): OnnxGraph {
  return { name, nodes, inputs: [], outputs: [value(`${name}_out`, 'uint8', [1])], initializers, values: [] };
}

const inBranch = filled('in_branch', LARGE, 3);
const inAttribute = filled('', LARGE, 4);
const inAlgorithm = filled('in_algorithm', LARGE, 5);
const initializers = [
  filled('small', 10, 1),
  filled('large', LARGE, 2),
  filled('none', 0, 0),
  stringTensor('text', [2], ['short', 'x'.repeat(LARGE)]),
  filled('last', 20, 6),
];
const everywhere = model(
  graphOf('main', initializers, [
    node('If', ['c'], 'y', {
      then_branch: graphAttribute(graphOf('then', [inBranch])),
      else_branch: graphAttribute(graphOf('else', [filled('little', 3, 9)])),
    }),
    node('Relu', ['y'], 'z'),
    node('Constant', [], 'k', { value: tensorAttribute(inAttribute) }),
  ]),
  {
    producerName: 'a test',
    metadata: { key: 'text' },
    trainingInfo: [{ algorithm: graphOf('step', [inAlgorithm]), initializationBinding: {}, updateBinding: { a: 'b' } }],
  },
);

function concatenated(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks));
}

test('the chunks of a model, one after the other, are its file', () => {
  const bytes = concatenated(encodeModelChunks(everywhere));
  assert.deepEqual(bytes, encodeModel(everywhere));
  assert.deepEqual(decodeModel(bytes, 'memory'), everywhere);
});

test('large data is a chunk of its own and not copied, in subgraphs, attributes and training information too', () => {
  const chunks = encodeModelChunks(everywhere);
  const large = initializers.find(({ name }) => name === 'large') ?? assert.fail();
  for (const { data } of [large, inBranch, inAttribute, inAlgorithm]) {
    assert.ok(chunks.includes(data), 'the very array, not an equal one');
  }
});

test('small data is joined: neighbouring chunks are never both small', () => {
  const sizes = encodeModelChunks(everywhere).map(({ length }) => length);
  sizes.forEach((size, index) => assert.ok(size >= 16_384 || (sizes[index + 1] ?? Infinity) >= 16_384));
  const small = model(graphOf('main', [filled('w', 100, 1)]));
  assert.equal(encodeModelChunks(small).length, 1);
});

test('what a file said beyond our fields is written back beside large tensors', () => {
  const raw = new Uint8Array(LARGE).fill(7);
  const foreign = message(
    [MODEL.irVersion, 8n],
    [MODEL.docString, 'of the model'],
    [1999, 'unknown in the model'],
    [
      MODEL.graph,
      message(
        [GRAPH.name, 'g'],
        [GRAPH.docString, 'of the graph'],
        [1999, 'unknown in the graph'],
        [
          GRAPH.initializer,
          message(
            [TENSOR.dims, BigInt(LARGE)],
            [TENSOR.type, 2n],
            [TENSOR.name, 'w'],
            [TENSOR.raw, raw],
            [TENSOR.docString, 'of the tensor'],
            [1999, 'unknown in the tensor'],
          ),
        ],
      ),
    ],
  );
  const read = decodeModel(foreign, 'memory');
  const chunks = encodeModelChunks(read);
  assert.ok(chunks.length > 1);
  const text = Buffer.concat(chunks).toString('latin1');
  for (const place of ['model', 'graph', 'tensor']) {
    assert.ok(text.includes(`of the ${place}`) && text.includes(`unknown in the ${place}`), place);
  }
  assert.deepEqual(decodeModel(concatenated(chunks), 'memory'), read);
});

test('a model beyond 2 GiB is a RangeError that says so, before anything is copied', () => {
  const data = new Uint8Array(2 ** 20);
  const many = Array.from({ length: 2048 }, (_, index) => ({
    ...filled('w', 0, 0),
    name: `w${index}`,
    shape: [2 ** 20],
    data,
  }));
  assert.throws(() => encodeModelChunks(model(graphOf('g', many))), /protobuf takes 2147483647 at most/);
});
