import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Attribute, int, ints, string as text, tensor } from '@atelier/onnx';
import { assertSamePredictions, seen } from '../support/onnx-to-tfjs-parity.ts';
import { TorchExport } from '../support/torch-export.ts';

/** The classes of a converted model's layers, in their order. */
const classesOf = ({ artifacts }: Awaited<ReturnType<typeof assertSamePredictions>>) =>
  (
    artifacts.modelTopology as { config: { layers: { class_name: string; config: { name: string } }[] } }
  ).config.layers.map(({ class_name: className, config }) => `${className} ${config.name}`);

describe('networks as PyTorch exports them', () => {
  test('a perceptron with Flatten and Gemm becomes a Sequential of Dense and Activation', async () => {
    const torch = new TorchExport(1);
    const flat = torch.op('Flatten', 'flatten', ['image'], { axis: int(1) });
    const hidden = torch.op('Relu', 'relu', [torch.linear('fc1', flat, [784, 32])]);
    const logits = torch.linear('fc2', hidden, [32, 10]);
    const converted = await assertSamePredictions(torch.model({ name: 'image', shape: [1, 28, 28] }, logits));
    assert.deepEqual(classesOf(converted), [
      'InputLayer image',
      'Flatten flatten',
      'Dense fc1',
      'Activation relu',
      'Dense fc2',
    ]);
  });

  test('a convolutional network takes NHWC, and the rows of its first dense kernel are moved', async () => {
    const torch = new TorchExport(2);
    const block = (index: number, input: string, channels: readonly [number, number]) => {
      const convolved = torch.conv(`conv${index}`, input, [...channels, 3, 3], { padding: 1, bias: false });
      const active = torch.op('Relu', `relu${index}`, [torch.batchNorm(`bn${index}`, convolved, channels[1])]);
      return torch.op('MaxPool', `pool${index}`, [active], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
    };
    const features = torch.view(block(2, block(1, 'input', [3, 4]), [4, 6]));
    const logits = torch.linear('fc', features, [6 * 3 * 2, 5]);
    const model = torch.model({ name: 'input', shape: [3, 12, 8] }, logits);
    const converted = await assertSamePredictions(model);
    assert.deepEqual(converted.summary.inputs[0]?.permutation, [0, 2, 3, 1]);
    assert.deepEqual(classesOf(converted), [
      ...['InputLayer input', 'Conv2D conv1', 'BatchNormalization bn1', 'Activation relu1', 'MaxPooling2D pool1'],
      ...['Conv2D conv2', 'BatchNormalization bn2', 'Activation relu2', 'MaxPooling2D pool2'],
      ...['Flatten reshape', 'Dense fc'],
    ]);
  });
});

/** One operator after another on images [N, channels, height, width], as torch writes it. */
const imageCases: Record<string, (torch: TorchExport, x: string) => string> = {
  'Conv with a stride and pads of the same size on all sides': (torch, x) =>
    torch.conv('conv', x, [4, 5, 3, 3], { stride: 2, padding: 1 }),
  'Conv with dilations': (torch, x) => torch.conv('conv', x, [4, 5, 3, 3], { dilation: 2, padding: 2 }),
  'depthwise Conv': (torch, x) => torch.conv('conv', x, [4, 4, 3, 3], { groups: 4, padding: 1 }),
  'depthwise Conv with two outputs for each channel and a stride': (torch, x) =>
    torch.conv('conv', x, [4, 8, 3, 3], { groups: 4, padding: 1, stride: 2 }),
  'Conv in two groups': (torch, x) => torch.conv('conv', x, [4, 6, 3, 3], { groups: 2, padding: 1 }),
  'MaxPool with pads over what may be negative': (torch, x) =>
    torch.op('MaxPool', 'pool', [x], { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) }),
  'MaxPool with pads over what a ReLU gives': (torch, x) =>
    torch.op('MaxPool', 'pool', [torch.op('Relu', 'relu', [x])], {
      ...{ kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
    }),
  'MaxPool with ceil_mode': (torch, x) =>
    torch.op('MaxPool', 'pool', [x], { kernel_shape: ints([2, 2]), strides: ints([2, 2]), ceil_mode: int(1) }),
  'AveragePool that counts its pads': (torch, x) =>
    torch.op('AveragePool', 'pool', [x], {
      ...{ kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]), count_include_pad: int(1) },
    }),
  'AveragePool that does not count its pads': (torch, x) =>
    torch.op('AveragePool', 'pool', [x], {
      ...{ kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
    }),
  'GlobalAveragePool and Flatten': (torch, x) =>
    torch.op('Flatten', 'flatten', [torch.op('GlobalAveragePool', 'pool', [x])], { axis: int(1) }),
  'GlobalAveragePool alone': (torch, x) => torch.op('GlobalAveragePool', 'pool', [x]),
  GlobalMaxPool: (torch, x) => torch.op('GlobalMaxPool', 'pool', [x]),
  'ReduceMean over height and width': (torch, x) =>
    torch.op('ReduceMean', '', [x], { axes: ints([2, 3]), keepdims: int(0) }),
  'BatchNormalization with an epsilon of its own': (torch, x) => torch.batchNorm('bn', x, 4, 1e-3),
  'squeeze and excitation': (torch, x) => {
    const pooled = torch.op('GlobalAveragePool', 'se.pool', [x]);
    const squeezed = torch.op('Relu', 'se.relu', [torch.conv('se.fc1', pooled, [4, 2, 1, 1])]);
    const gate = torch.op('HardSigmoid', 'se.gate', [torch.conv('se.fc2', squeezed, [2, 4, 1, 1])], {
      alpha: { type: 'float', value: Math.fround(1 / 6) },
    });
    return torch.op('Mul', 'se', [gate, x]);
  },
  'a residual block': (torch, x) => {
    const inner = torch.op('Relu', 'relu', [torch.conv('conv1', x, [4, 4, 3, 3], { padding: 1 })]);
    return torch.op('Relu', 'relu', [
      torch.op('Add', '', [torch.conv('conv2', inner, [4, 4, 3, 3], { padding: 1 }), x]),
    ]);
  },
  'Concat along the channels': (torch, x) =>
    torch.op('Concat', '', [x, torch.conv('conv', x, [4, 3, 1, 1])], { axis: int(1) }),
  'PRelu with a slope for each channel': (torch, x) =>
    torch.op('PRelu', 'act', [x, torch.parameter('act.weight', [4, 1, 1])]),
  'PRelu with one slope': (torch, x) => torch.op('PRelu', 'act', [x, torch.parameter('act.weight', [1])]),
  'Softmax along the channels': (torch, x) => torch.op('Softmax', '', [x], { axis: int(1) }),
  'Softmax along the width': (torch, x) => torch.op('Softmax', '', [x], { axis: int(3) }),
  'Pad with zeros': (torch, x) =>
    torch.op('Pad', 'pad', [x, torch.constant([0, 0, 1, 2, 0, 0, 3, 0])], { mode: text('constant') }),
  'Resize to twice the size by repetition': (torch, x) =>
    torch.op('Resize', 'up', [x, '', torch.floats([1, 1, 2, 2], [4])], {
      ...{ mode: text('nearest'), coordinate_transformation_mode: text('asymmetric'), nearest_mode: text('floor') },
    }),
  'a mean and a deviation for each channel': (torch, x) => {
    const mean = torch.floats([0.4, 0.5, 0.6, 0.1], [4, 1, 1]);
    const deviation = torch.floats([0.2, 0.3, 0.25, 1], [1, 4, 1, 1]);
    return torch.op('Div', '', [torch.op('Sub', '', [x, mean]), deviation]);
  },
  'Transpose to channels last': (torch, x) => torch.op('Transpose', '', [x], { perm: ints([0, 2, 3, 1]) }),
  'Flatten, and a function of what was flattened': (torch, x) => {
    const flat = torch.op('Flatten', 'flatten', [torch.conv('conv', x, [4, 3, 1, 1])], { axis: int(1) });
    return torch.op('Tanh', 'tanh', [flat]);
  },
  'Flatten, BatchNormalization and Gemm': (torch, x) => {
    const flat = torch.op('Flatten', 'flatten', [torch.conv('conv', x, [4, 3, 1, 1])], { axis: int(1) });
    return torch.linear('fc', torch.batchNorm('bn', flat, 3 * 7 * 6), [3 * 7 * 6, 4]);
  },
  'a Linear on channels last': (torch, x) =>
    torch.op('Add', 'fc', [
      torch.op('MatMul', 'fc', [
        torch.op('Transpose', '', [x], { perm: ints([0, 2, 3, 1]) }),
        torch.parameter('onnx::MatMul_9', [4, 3]),
      ]),
      torch.parameter('fc.bias', [3]),
    ]),
  'Flatten, Unsqueeze and Transpose of what was flattened': (torch, x) => {
    const flat = torch.op('Flatten', 'flatten', [torch.conv('conv', x, [4, 3, 1, 1])], { axis: int(1) });
    const row = torch.op('Unsqueeze', '', [flat, torch.constant([1])]);
    return torch.op('Transpose', '', [row], { perm: ints([0, 2, 1]) });
  },
  'a sum of what was flattened and its own Gemm': (torch, x) => {
    const flat = torch.view(torch.conv('conv', x, [4, 1, 1, 1]));
    return torch.op('Add', '', [flat, torch.linear('fc', torch.view(x), [168, 42])]);
  },
  'Concat of what was flattened and what was not': (torch, x) => {
    const flat = torch.view(torch.conv('conv', x, [4, 2, 1, 1]));
    return torch.op('Concat', '', [torch.linear('fc', flat, [84, 3]), flat], { axis: int(1) });
  },
  'a decoder: Reshape of a matrix to images': (torch, x) => {
    const code = torch.linear('fc', torch.view(x), [4 * 7 * 6, 12]);
    return torch.conv('conv', torch.op('Reshape', '', [code, torch.constant([-1, 3, 2, 2])]), [3, 2, 3, 3], {
      padding: 1,
    });
  },
};

describe('operators on images', () => {
  for (const [title, build] of Object.entries(imageCases)) {
    test(`${title}: TensorFlow.js predicts what onnxruntime does`, async () => {
      const torch = new TorchExport(3);
      const model = torch.model({ name: 'x', shape: [4, 7, 6] }, build(torch, 'x'));
      await assertSamePredictions(model);
    });
  }
});

const vectorCases: Record<string, (torch: TorchExport, x: string) => string> = {
  'Gemm with alpha and beta': (torch, x) =>
    torch.op('Gemm', 'fc', [x, torch.parameter('fc.weight', [3, 6]), torch.parameter('fc.bias', [3])], {
      ...{ transB: int(1), alpha: { type: 'float', value: 0.5 }, beta: { type: 'float', value: 2 } },
    }),
  'Gemm with one number for all units': (torch, x) =>
    torch.op('Gemm', 'fc', [x, torch.parameter('w', [6, 3]), torch.floats(0.3)]),
  'MatMul, and a scale and a shift for each unit': (torch, x) => {
    const product = torch.op('MatMul', 'fc', [x, torch.parameter('w', [6, 3])]);
    const scaled = torch.op('Mul', 'fc', [product, torch.parameter('scale', [3])]);
    return torch.op('Add', 'fc', [torch.parameter('shift', [1, 3]), scaled]);
  },
  'a weight behind Identity, Cast and Transpose': (torch, x) => {
    const same = torch.op('Identity', '', [torch.parameter('w', [3, 6])]);
    const turned = torch.op('Transpose', '', [torch.op('Cast', '', [same], { to: int(1) })], { perm: ints([1, 0]) });
    return torch.op('MatMul', 'fc', [x, turned]);
  },
  'scales and offsets of one number': (torch, x) =>
    torch.op('Sub', '', [
      torch.floats(1),
      torch.op('Add', '', [torch.op('Mul', '', [x, torch.floats(3)]), torch.floats(2)]),
    ]),
  'a difference of two tensors': (torch, x) =>
    torch.op('Sub', '', [torch.linear('a', x, [6, 3]), torch.linear('b', x, [6, 3])]),
  'Max, Min, Mean and Sum': (torch, x) => {
    const parts = ['a', 'b'].map((name) => torch.linear(name, x, [6, 3]));
    const merged = ['Max', 'Min', 'Mean', 'Sum'].map((opType) => torch.op(opType, '', parts));
    return torch.op('Concat', '', merged, { axis: int(-1) });
  },
  'one layer called twice': (torch, x) =>
    torch.linear('fc', torch.op('Relu', '', [torch.linear('fc', x, [6, 6])]), [6, 6]),
  'one layer called three times, the last time on what is there first': (torch, x) => {
    const layer = (input: string) => torch.linear('fc', input, [6, 6]);
    const results = [x, torch.op('Relu', '', [layer(x)]), torch.op('Tanh', '', [x]), x].map(layer);
    return torch.op('Concat', '', results, { axis: int(-1) });
  },
  'the square of what another layer takes too': (torch, x) => {
    const hidden = torch.linear('fc', x, [6, 3]);
    return torch.op('Add', '', [torch.op('Mul', '', [hidden, hidden]), hidden]);
  },
  'a weight in two layers': (torch, x) => {
    const weight = torch.parameter('w', [6, 6]);
    const turned = torch.op('Gemm', 'b', [torch.op('Gemm', 'a', [x, weight]), weight], { transB: int(1) });
    return torch.op('Tanh', '', [turned]);
  },
  'Clip to an interval': (torch, x) => torch.op('Clip', '', [x, torch.floats(-1), torch.floats(0.5)]),
  'Clip from 0 to 6': (torch, x) => torch.op('Clip', '', [x, torch.floats(0), torch.floats(6)]),
  'Clip from 0': (torch, x) => torch.op('Clip', '', [x, torch.floats(0)]),
  'gelu as arithmetic': (torch, x) => {
    const erf = torch.op('Erf', 'act', [torch.op('Div', 'act', [x, torch.floats(Math.SQRT2)])]);
    const product = torch.op('Mul', 'act', [x, torch.op('Add', 'act', [erf, torch.floats(1)])]);
    return torch.op('Mul', 'act', [product, torch.floats(0.5)]);
  },
  'gelu as Keras writes it': (torch, x) => {
    const half = torch.op('Mul', 'act', [torch.floats(0.5), x]);
    const erf = torch.op('Erf', 'act', [torch.op('Mul', 'act', [x, torch.floats(Math.SQRT1_2)])]);
    return torch.op('Mul', 'act', [half, torch.op('Add', 'act', [torch.floats(1), erf])]);
  },
  'swish as a product': (torch, x) => torch.op('Mul', 'act', [x, torch.op('Sigmoid', 'act', [x])]),
  'mish as a product': (torch, x) =>
    torch.op('Mul', 'act', [x, torch.op('Tanh', 'act', [torch.op('Softplus', 'act', [x])])]),
  HardSwish: (torch, x) => torch.op('HardSwish', 'act', [x]),
  'Dropout and Identity': (torch, x) =>
    torch.op('Identity', '', [torch.op('Dropout', 'drop', [torch.linear('fc', x, [6, 3])])]),
  'Unsqueeze, Conv over one axis and Flatten': (torch, x) => {
    const sequence = torch.op('Unsqueeze', '', [x, torch.constant([1])]);
    return torch.op('Flatten', 'flatten', [torch.conv('conv', sequence, [1, 4, 3], { padding: 1 })], { axis: int(1) });
  },
};
for (const [opType, attributes] of Object.entries({
  ...{ Relu: {}, Selu: {}, Sigmoid: {}, Softplus: {}, Softsign: {}, Tanh: {}, HardSigmoid: {}, Elu: {}, Neg: {} },
  ...{
    LeakyRelu: { alpha: { type: 'float', value: Math.fround(0.1) } },
    ThresholdedRelu: {},
    Softmax: {},
    LogSoftmax: {},
  },
} as Record<string, Record<string, Attribute>>)) {
  vectorCases[opType] = (torch, x) => torch.op(opType, 'act', [x], attributes);
}

describe('operators on vectors', () => {
  for (const [title, build] of Object.entries(vectorCases)) {
    test(`${title}: TensorFlow.js predicts what onnxruntime does`, async () => {
      const torch = new TorchExport(4);
      await assertSamePredictions(torch.model({ name: 'x', shape: [6] }, build(torch, 'x')));
    });
  }
});

const sequenceCases: Record<string, (torch: TorchExport, x: string) => string> = {
  'Conv with pads': (torch, x) => torch.conv('conv', x, [4, 3, 5], { padding: 2, stride: 2 }),
  'depthwise Conv': (torch, x) => torch.conv('conv', x, [4, 8, 3], { padding: 1, groups: 4 }),
  'MaxPool with pads': (torch, x) =>
    torch.op('MaxPool', 'pool', [x], { kernel_shape: ints([3]), strides: ints([2]), pads: ints([1, 1]) }),
  'AveragePool that counts its pads': (torch, x) =>
    torch.op('AveragePool', 'pool', [x], {
      ...{ kernel_shape: ints([3]), strides: ints([2]), pads: ints([1, 1]), count_include_pad: int(1) },
    }),
  BatchNormalization: (torch, x) => torch.batchNorm('bn', x, 4),
  'ReduceMax over the length': (torch, x) => torch.op('ReduceMax', '', [x], { axes: ints([-1]), keepdims: int(0) }),
  'a scale for each channel': (torch, x) => torch.op('Mul', '', [x, torch.floats([1, 2, 3, 4], [4, 1])]),
};

describe('operators on sequences', () => {
  for (const [title, build] of Object.entries(sequenceCases)) {
    test(`${title}: TensorFlow.js predicts what onnxruntime does`, async () => {
      const torch = new TorchExport(5);
      await assertSamePredictions(torch.model({ name: 'x', shape: [4, 9] }, build(torch, 'x')));
    });
  }
});

describe('operators of other operator sets', () => {
  for (const [opType, opset] of [
    ['Mish', 18],
    ['Gelu', 20],
    ['Swish', 24],
  ] as const) {
    test(`${opType} of opset ${opset}: TensorFlow.js predicts what onnxruntime does`, async () => {
      const torch = new TorchExport(6);
      await assertSamePredictions(torch.model({ name: 'x', shape: [6] }, torch.op(opType, 'act', ['x']), opset));
    });
  }

  test('Upsample, Softmax, Squeeze and Clip as they were in opset 9', async () => {
    const torch = new TorchExport(6);
    const larger = torch.op('Upsample', '', ['x', torch.floats([1, 1, 3, 2], [4])], { mode: text('nearest') });
    const clipped = torch.op('Clip', '', [larger], {
      min: { type: 'float', value: 0 },
      max: { type: 'float', value: 1 },
    });
    const pooled = torch.op('GlobalAveragePool', '', [clipped]);
    const vector = torch.op('Squeeze', '', [pooled], { axes: ints([2, 3]) });
    const y = torch.op('Softmax', '', [torch.linear('fc', vector, [4, 3])], { axis: int(1) });
    await assertSamePredictions(torch.model({ name: 'x', shape: [4, 3, 5] }, y, 9));
  });

  test('ReduceMean with its axes as an input, as from opset 18 on', async () => {
    const torch = new TorchExport(6);
    const y = torch.op('ReduceMean', '', ['x', torch.constant([-2, -1])], { keepdims: int(1) });
    await assertSamePredictions(torch.model({ name: 'x', shape: [4, 3, 5] }, y, 18));
  });
});

describe('what files hold', () => {
  test('pixels of uint8 behind a Cast or a DequantizeLinear are float32 in the model', async () => {
    for (const scaled of [
      (torch: TorchExport) => torch.op('Cast', '', ['image'], { to: int(1) }),
      (torch: TorchExport) => torch.op('DequantizeLinear', '', ['image', torch.floats(1 / 255)]),
    ]) {
      const torch = new TorchExport(7);
      const flat = torch.op('Flatten', 'flatten', [scaled(torch)], { axis: int(1) });
      const model = torch.model({ name: 'image', shape: [4, 5] }, torch.linear('fc', flat, [20, 3]));
      const inputs = model.graph.inputs.map((input) => ({ ...input, type: 'uint8' as const }));
      await assertSamePredictions({ ...model, graph: { ...model.graph, inputs } });
    }
  });

  for (const type of ['float16', 'bfloat16'] as const) {
    test(`weights of ${type} behind a Cast are widened`, async () => {
      const torch = new TorchExport(8);
      // 1, -2, 0.5 and the smallest numbers of float16; bits of bfloat16 are the upper half of a float32
      const bits =
        type === 'float16'
          ? [0x3c00, 0xc000, 0x3800, 0x0001, 0x83ff, 0x7bff]
          : [0x3f80, 0xc000, 0x3f00, 0x0080, 0xbdcc, 0x4049];
      const narrow = torch.initializer(tensor('w', type, [3, 2], Uint16Array.from(bits)));
      const wide = torch.op('Cast', '', [narrow], { to: int(1) });
      await assertSamePredictions(torch.model({ name: 'x', shape: [3] }, torch.op('MatMul', 'fc', ['x', wide])));
    });
  }

  test('a batch that the exporter fixed is open in the model', async () => {
    const torch = new TorchExport(9);
    const flat = torch.op('Reshape', '', ['x', torch.constant([1, 30])]);
    const model = torch.model({ name: 'x', shape: [5, 6], batch: 1 }, torch.linear('fc', flat, [30, 3]));
    const { network } = await assertSamePredictions(model, { batch: 1 });
    assert.deepEqual(network.inputs[0]?.shape, [null, 5, 6]);
  });

  test('sizes of images that are open stay open', async () => {
    const torch = new TorchExport(10);
    const pooled = torch.op('GlobalAveragePool', '', [torch.conv('conv', 'x', [2, 3, 3, 3], { padding: 1 })]);
    const y = torch.linear('fc', torch.op('Flatten', '', [pooled], { axis: int(1) }), [3, 2]);
    const model = torch.model({ name: 'x', shape: [2, 7, 8] }, y);
    const inputs = model.graph.inputs.map((input) => ({ ...input, shape: ['n', 2, 'height', 'width'] }));
    const sizes = { height: 7, width: 9 };
    const { network } = await assertSamePredictions({ ...model, graph: { ...model.graph, inputs } }, { sizes });
    assert.deepEqual(network.inputs[0]?.shape, [null, null, null, 2]);
  });

  test('one tensor under two names is two outputs', async () => {
    const torch = new TorchExport(3);
    const logits = torch.linear('fc', 'x', [6, 3]);
    const again = torch.op('Identity', 'again', [logits]);
    const model = torch.model({ name: 'x', shape: [6] }, logits);
    const outputs = [...model.graph.outputs, { name: again, type: 'float32' as const, shape: null }];
    await assertSamePredictions({ ...model, graph: { ...model.graph, outputs } });
  });

  test('logits and probabilities are two outputs of one model', async () => {
    const torch = new TorchExport(11);
    const logits = torch.linear('fc', 'x', [6, 3]);
    const probabilities = torch.op('Softmax', 'softmax', [logits], { axis: int(-1) });
    const model = torch.model({ name: 'x', shape: [6] }, logits);
    const outputs = [...model.graph.outputs, { name: probabilities, type: 'float32' as const, shape: null }];
    const { summary } = await assertSamePredictions({ ...model, graph: { ...model.graph, outputs } });
    assert.deepEqual(
      summary.outputs.map(({ layer }) => layer),
      ['fc', 'softmax'],
    );
  });

  test('a weight in layers of two kinds is copied, with a warning; in one kind it stays one', async () => {
    const torch = new TorchExport(12);
    const weight = torch.parameter('w', [6, 6]);
    const first = torch.op('Gemm', 'a', ['x', weight]);
    const again = torch.op('Gemm', 'b', [first, weight]);
    const turned = torch.op('Gemm', 'c', [again, weight], { transB: int(1) });
    const { summary } = await assertSamePredictions(torch.model({ name: 'x', shape: [6] }, turned));
    assert.deepEqual(summary.layers, { Dense: 2 });
    assert.deepEqual(summary.warnings, ['Weight "w" is in several layers of the model, which train it apart.']);
  });
});

test('how far the two runtimes were apart at most', (context) => {
  context.diagnostic(`${seen.largest.toExponential(1)} of the largest output`);
});
