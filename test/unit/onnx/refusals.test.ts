import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { decodeModel, encodeModel, float, float32Tensor, int, model, node, opsetVersion, value } from '@atelier/onnx';
import fc from 'fast-check';
import { ATTRIBUTE, type Field, GRAPH, message, MODEL, NODE, TENSOR, VALUE } from './wire.ts';

const graph = (...fields: Field[]) => message([MODEL.graph, message([GRAPH.name, 'g'], ...fields)]);
const attribute = message([ATTRIBUTE.name, 'axis'], [ATTRIBUTE.i, 1n], [ATTRIBUTE.type, 2n]);
const shapeOf = (size: bigint) => message([1, message([1, 1n], [2, message([1, message([1, size])])])]);

const malformed: [what: string, bytes: Uint8Array, reason: RegExp][] = [
  ['an empty file', new Uint8Array(), /it has no graph/],
  ['a PNG', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), /./],
  [
    'a file cut short',
    encodeModel(
      model({
        name: 'g',
        nodes: [],
        inputs: [],
        outputs: [],
        initializers: [float32Tensor('w', [9], new Float32Array(9))],
        values: [],
      }),
    ).slice(0, -20),
    /./,
  ],
  [
    'a graph with two attributes of one name',
    graph([
      GRAPH.node,
      message([NODE.opType, 'Softmax'], [NODE.name, 's'], [NODE.attribute, attribute], [NODE.attribute, attribute]),
    ]),
    /graph "g": Softmax node "s": it has two attributes of one name/,
  ],
  [
    'a tensor of an unknown type',
    graph([GRAPH.initializer, message([TENSOR.name, 'w'], [TENSOR.type, 99n])]),
    /initializer "w": data type 99; known are 1 to 26/,
  ],
  [
    'a tensor with too few bytes',
    graph([
      GRAPH.initializer,
      message([TENSOR.name, 'w'], [TENSOR.type, 1n], [TENSOR.dims, 2n], [TENSOR.raw, new Uint8Array(7)]),
    ]),
    /initializer "w": 7 bytes of elements; shape \[2\] takes 8/,
  ],
  [
    'a tensor with too few strings',
    graph([
      GRAPH.initializer,
      message([TENSOR.name, 't'], [TENSOR.type, 8n], [TENSOR.dims, 2n], [TENSOR.strings, 'one']),
    ]),
    /1 strings of elements; shape \[2\] takes 2/,
  ],
  [
    'a tensor with a negative dimension',
    graph([GRAPH.initializer, message([TENSOR.name, 'w'], [TENSOR.type, 1n], [TENSOR.dims, -1n])]),
    /Shape \[-1\]/,
  ],
  [
    'a tensor whose size is beyond exact numbers',
    graph([GRAPH.initializer, message([TENSOR.name, 'w'], [TENSOR.type, 1n], [TENSOR.dims, 2n ** 62n])]),
    /expected whole numbers/,
  ],
  [
    'a value whose dimension is beyond exact numbers',
    graph([GRAPH.input, message([VALUE.name, 'x'], [VALUE.type, shapeOf(2n ** 62n)])]),
    /value "x": dimension 4611686018427387904/,
  ],
  [
    'an opset version beyond exact numbers',
    message([MODEL.opset, message([2, 2n ** 62n])], [MODEL.graph, message()]),
    /opset_import: 4611686018427387904/,
  ],
];

for (const [what, bytes, reason] of malformed) {
  test(`${what} is malformed-onnx, with the place and the reason`, () => {
    assert.throws(
      () => decodeModel(bytes, 'models/x.onnx'),
      (error: unknown) => {
        assert.ok(error instanceof DomainError);
        assert.equal(error.code, 'malformed-onnx');
        assert.match(error.message, /^models\/x\.onnx is no valid ONNX model: /);
        assert.match(error.message, reason);
        return true;
      },
    );
  });
}

test('any bytes at all are a model or malformed-onnx, nothing else', () => {
  const valid = encodeModel(
    model({
      name: 'g',
      nodes: [node('Gemm', ['x', 'w'], 'y', { alpha: float(2), transB: int(1) })],
      inputs: [value('x', 'float32', ['batch', 3])],
      outputs: [value('y', 'float32', null)],
      initializers: [float32Tensor('w', [1, 3], [1, 2, 3])],
      values: [],
    }),
  );
  const damaged = fc
    .tuple(fc.nat(valid.length - 1), fc.nat(255), fc.nat(valid.length))
    .map(([at, byte, length]) => valid.with(at, byte).slice(0, length));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (bytes) => {
      try {
        decodeModel(bytes, 'memory');
      } catch (error) {
        assert.ok(error instanceof DomainError && error.code === 'malformed-onnx');
      }
    }),
    { seed: 20_261_120, numRuns: 2000 },
  );
});

test('an attribute number says whether it is an integer or a float', () => {
  assert.deepEqual(node('Op', [], 'y', { a: int(1), b: float(1), c: 'text' }).attributes, {
    a: { type: 'int', value: 1 },
    b: { type: 'float', value: 1 },
    c: { type: 'string', value: 'text' },
  });
  assert.deepEqual(float(0.1), { type: 'float', value: Math.fround(0.1) });
  assert.throws(() => int(0.5), /0\.5; expected a whole number/);
  assert.throws(() => int(2 ** 60), RangeError);
});

test('a node is named after its first output', () => {
  assert.equal(node('Split', ['x'], ['left', 'right']).name, 'left');
});

test('files of the first format version, whose attributes have no type, are read by the value that is set', () => {
  const untyped = message([ATTRIBUTE.name, 'axes'], [ATTRIBUTE.ints, 1n], [ATTRIBUTE.ints, 2n]);
  const read = decodeModel(graph([GRAPH.node, message([NODE.opType, 'Squeeze'], [NODE.attribute, untyped])]), 'memory');
  assert.deepEqual(read.graph.nodes[0]?.attributes, { axes: { type: 'ints', value: [1, 2] } });
});

test('the standard operator set goes by two names', () => {
  const graphOnly = { name: 'g', nodes: [], inputs: [], outputs: [], initializers: [], values: [] };
  assert.equal(opsetVersion(model(graphOnly)), 17);
  assert.equal(opsetVersion(model(graphOnly, { opsetImports: [{ domain: 'ai.onnx', version: 9 }] })), 9);
  assert.equal(opsetVersion(model(graphOnly), 'com.example'), undefined);
});
