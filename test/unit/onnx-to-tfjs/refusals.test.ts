import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { type Attribute, float32Tensor, int, ints, type OnnxModel, string, tensor, value } from '@atelier/onnx';
import { convert } from '@atelier/onnx-to-tfjs';
import { TorchExport } from '../../support/torch-export.ts';

type Build = (torch: TorchExport, x: string) => string;

const image = [4, 7, 6];
const vector = [6];

/** Sound graphs that no layers compute: what is asked for, and what the message must say beside the node's name. */
const unsupported: Record<string, [shape: readonly number[], build: Build, says: RegExp]> = {
  'an operator without a rule': [
    vector,
    (torch, x) => torch.op('Sin', 'wave', [x]),
    /Node "\/wave\/Sin" is a Sin; supported: Add, .*add a rule/,
  ],
  'Gemm that transposes its input': [
    vector,
    (torch, x) => torch.op('Gemm', 'fc', [x, torch.parameter('w', [2, 3])], { transA: int(1) }),
    /transA exchanges the batch/,
  ],
  'Gemm whose addend has rows': [
    vector,
    (torch, x) => torch.op('Gemm', 'fc', [x, torch.parameter('w', [6, 3]), torch.parameter('c', [2, 3])]),
    /adds a tensor of shape \[2, 3\]/,
  ],
  'MatMul of two tensors': [
    vector,
    (torch, x) => torch.op('MatMul', 'attention', [x, torch.op('Relu', '', [x])]),
    /two tensors that are both computed/,
  ],
  'Conv with strides and dilations': [
    image,
    (torch, x) => torch.conv('conv', x, [4, 5, 3, 3], { stride: 2, dilation: 2 }),
    /strides and dilations/,
  ],
  'depthwise Conv with dilations': [
    image,
    (torch, x) => torch.conv('conv', x, [4, 4, 3, 3], { groups: 4, dilation: 2 }),
    /depthwise with dilations, which TensorFlow\.js ignores/,
  ],
  'Conv in groups over one axis': [
    [4, 9],
    (torch, x) => torch.conv('conv', x, [4, 4, 3], { groups: 2 }),
    /2 groups over one axis/,
  ],
  'MaxPool that is padded off its centre over what may be negative': [
    image,
    (torch, x) =>
      torch.op('MaxPool', 'pool', [x], { kernel_shape: ints([2, 2]), strides: ints([2, 2]), pads: ints([1, 1, 0, 0]) }),
    /Put a ReLU before it/,
  ],
  'MaxPool with dilations': [
    image,
    (torch, x) => torch.op('MaxPool', 'pool', [x], { kernel_shape: ints([2, 2]), dilations: ints([2, 2]) }),
    /pools without gaps/,
  ],
  'AveragePool with ceil_mode that counts pads': [
    image,
    (torch, x) =>
      torch.op('AveragePool', 'pool', [x], {
        ...{ kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
        ...{ count_include_pad: int(1), ceil_mode: int(1) },
      }),
    /means that no layer computes/,
  ],
  'ReduceMean over the batch': [
    vector,
    (torch, x) => torch.op('ReduceMean', '', [x], { axes: ints([0]) }),
    /reduces axes \[0\]/,
  ],
  'BatchNormalization in training mode': [
    image,
    (torch, x) =>
      torch.op('BatchNormalization', 'bn', [x, ...['a', 'b', 'c', 'd'].map((name) => torch.parameter(name, [4]))], {
        training_mode: int(1),
      }),
    /training mode/,
  ],
  'Elu with another alpha': [
    vector,
    (torch, x) => torch.op('Elu', 'act', [x], { alpha: { type: 'float', value: 0.5 } }),
    /its alpha is 0\.5; supported: 1/,
  ],
  'Gelu by tanh': [
    vector,
    (torch, x) => torch.op('Gelu', 'act', [x], { approximate: string('tanh') }),
    /saves and cannot load/,
  ],
  'Clip without a lower bound': [vector, (torch, x) => torch.op('Clip', '', [x, '', torch.floats(1)]), /a lower bound/],
  'Transpose of the batch': [
    vector,
    (torch, x) => torch.op('Transpose', '', [x], { perm: ints([1, 0]) }),
    /moves the batch/,
  ],
  'Reshape that takes the batch apart': [
    vector,
    (torch, x) => torch.op('Reshape', '', [x, torch.constant([-1, 3])]),
    /leaves the first axis, the batch, alone/,
  ],
  'Flatten into the batch': [image, (torch, x) => torch.op('Flatten', '', [x], { axis: int(2) }), /into the batch/],
  'Concat along the batch': [vector, (torch, x) => torch.op('Concat', '', [x, x], { axis: int(0) }), /joins batches/],
  'Pad by reflection': [
    image,
    (torch, x) => torch.op('Pad', '', [x, torch.constant([0, 0, 1, 1, 0, 0, 1, 1])], { mode: string('reflect') }),
    /pads by reflect; supported: zeros/,
  ],
  'Resize by half a pixel': [
    image,
    (torch, x) =>
      torch.op('Resize', '', [x, '', torch.floats([1, 1, 2, 2], [4])], {
        ...{ mode: string('linear'), coordinate_transformation_mode: string('half_pixel') },
      }),
    /has no layer for the others/,
  ],
  'Resize to more cells than can be looked at': [
    image,
    (torch, x) => torch.op('Resize', '', [x, '', torch.floats([1, 1, 1e8, 2], [4])], { mode: string('nearest') }),
    /gives 700000000 cells along an axis; supported: 1048576/,
  ],
  'Resize to other than whole multiples': [
    image,
    (torch, x) => torch.op('Resize', '', [x, '', torch.floats([1, 1, 1.5, 2], [4])], { mode: string('nearest') }),
    /its scales are 1, 1, 1\.5, 2/,
  ],
  'a quotient of two tensors': [vector, (torch, x) => torch.op('Div', '', [x, x]), /divides by a tensor/],
  'a constant for each row and column': [
    image,
    (torch, x) => torch.op('Add', '', [x, torch.parameter('p', [7, 6])]),
    /constant of shape \[7, 6\]/,
  ],
  'Softmax over several axes of an old operator set': [
    image,
    (torch, x) => torch.op('Softmax', 'old', [x], { axis: int(1) }),
    /before opset 13/,
  ],
  'weights of float64': [
    vector,
    (torch, x) => torch.op('MatMul', '', [x, torch.initializer(tensor('w', 'float64', [6, 2], new Float64Array(12)))]),
    /"w" is of float64/,
  ],
  'a constant of a higher rank': [
    vector,
    (torch, x) => torch.op('Add', '', [x, torch.floats([1], [1, 1, 1])]),
    /its constant has rank 3 and its input 2/,
  ],
  'a size of a tensor that is computed with': [
    vector,
    (torch, x) => torch.op('Mul', '', [x, torch.op('Cast', '', [torch.op('Shape', '', [x])], { to: int(1) })]),
    /is a size of a tensor/,
  ],
  'a Cast to another type': [vector, (torch, x) => torch.op('Cast', '', [x], { to: int(10) }), /casts to float16/],
};

describe('what no layer computes is refused by name', () => {
  for (const [title, [shape, build, says]] of Object.entries(unsupported)) {
    test(`${title} is unsupported-operator`, () => {
      const torch = new TorchExport(1);
      const opset = title.includes('old operator set') ? 12 : 17;
      const model = torch.model({ name: 'x', shape }, build(torch, 'x'), opset);
      assert.throws(() => convert(model), refusal('unsupported-operator', says));
    });
  }

  test('an operator of another set is unsupported-operator, with where it came from', () => {
    const model = chain('FusedMatMul');
    const [node] = model.graph.nodes;
    const fused = { ...model.graph, nodes: node ? [{ ...node, domain: 'com.microsoft' }] : [] };
    assert.throws(
      () => convert({ ...model, graph: fused }),
      refusal('unsupported-operator', /before a runtime optimised it/),
    );
  });

  test('arithmetic on integers is unsupported-operator', () => {
    const torch = new TorchExport(1);
    const ten = torch.initializer(tensor('ten', 'uint8', [], [10]));
    const model = torch.model(
      { name: 'x', shape: [6] },
      torch.op('Cast', '', [torch.op('Div', '', ['x', ten])], { to: int(1) }),
    );
    const inputs = [value('x', 'uint8', ['batch', 6])];
    const refused = { ...model, graph: { ...model.graph, inputs } };
    assert.throws(() => convert(refused), refusal('unsupported-operator', /computes on uint8; supported: floats/));
  });

  test('an operator set from before 2018 is unsupported-operator', () => {
    const model = { ...chain('Relu'), opsetImports: [{ domain: '', version: 6 }] };
    assert.throws(() => convert(model), refusal('unsupported-operator', /opset 6; supported: 7/));
  });

  test('an input of unknown rank is unsupported-operator', () => {
    const model = chain('Relu');
    const graph = { ...model.graph, inputs: [value('x', 'float32', null)] };
    assert.throws(() => convert({ ...model, graph }), refusal('unsupported-operator', /Input "x" has no shape/));
  });
});

describe('a graph that contradicts itself', () => {
  test('is malformed-onnx where a node takes what nothing gives', () => {
    const torch = new TorchExport(1);
    const model = torch.model({ name: 'x', shape: [6] }, torch.op('Add', '', ['x', 'nowhere']));
    assert.throws(() => convert(model), refusal('malformed-onnx', /takes "nowhere", which nothing before it gives/));
  });

  test('is malformed-onnx where a kernel does not fit its input', () => {
    const torch = new TorchExport(1);
    const output = torch.op('MatMul', 'fc', ['x', torch.parameter('w', [5, 2])]);
    assert.throws(
      () => convert(torch.model({ name: 'x', shape: [6] }, output)),
      refusal('malformed-onnx', /takes 5 features and its input has 6/),
    );
  });

  test('is malformed-onnx where an attribute is of another type', () => {
    const model = chain('LeakyRelu', { alpha: int(1) });
    assert.throws(() => convert(model), refusal('malformed-onnx', /attribute alpha of type int; expected float/));
  });

  test('is malformed-onnx where its weights are in a file that was not read', () => {
    const torch = new TorchExport(1);
    const external = {
      ...float32Tensor('w', [6, 2], new Float32Array(12)),
      data: new Uint8Array(),
      external: { location: 'w.bin' },
    };
    const output = torch.op('MatMul', 'fc', ['x', torch.initializer(external)]);
    assert.throws(
      () => convert(torch.model({ name: 'x', shape: [6] }, output)),
      refusal('malformed-onnx', /file w\.bin, which was not read/),
    );
  });
});

function chain(opType: string, attributes: Record<string, Attribute> = {}): OnnxModel {
  const torch = new TorchExport(1);
  return torch.model({ name: 'x', shape: [6] }, torch.op(opType, '', ['x'], attributes));
}

function refusal(code: 'unsupported-operator' | 'malformed-onnx', says: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof DomainError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, says);
    return true;
  };
}
