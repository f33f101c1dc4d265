import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeModel, encodeModel } from '@atelier/onnx';
import { convert, type LayersModelArtifacts } from '@atelier/tfjs-to-onnx';
import { functional, sequential, type WeightJson } from './artifacts.ts';

const weights: WeightJson[] = [
  ['one/kernel', [3, 2]],
  ['one/bias', [2]],
  ['two/kernel', [2, 2]],
  ['two/bias', [2]],
];
const layers = [
  ['Dense', { name: 'one', units: 2, activation: 'relu' }],
  ['Dropout', { name: 'drop', rate: 0.5 }],
  ['Dense', { name: 'two', units: 2, activation: 'softmax' }],
] as const;
const reference = sequential([3], layers, weights);

function withTopology(modelTopology: unknown): LayersModelArtifacts {
  return { ...reference, modelTopology };
}
const config = (reference.modelTopology as { config: { name: string; layers: unknown[] } }).config;

test('a Sequential is read with its layers in a list or in an object, bare or as model_config', () => {
  const expected = convert(reference).model.graph.nodes;
  const forms = [
    { class_name: 'Sequential', config: config.layers },
    { model_config: { class_name: 'Sequential', config } },
    { model_config: { class_name: 'Sequential', config: config.layers }, training_config: {} },
  ];
  for (const form of forms) assert.deepEqual(convert(withTopology(form)).model.graph.nodes, expected);
});

test('a first layer that says its input shape gives an input named after it', () => {
  const [, first, ...rest] = config.layers as { config: object }[];
  const open = { ...first, config: { ...first?.config, batch_input_shape: [null, 3], dtype: 'float32' } };
  const { summary } = convert(withTopology({ class_name: 'Sequential', config: { layers: [open, ...rest] } }));
  assert.deepEqual(summary.inputs, [{ name: 'one_input', type: 'float32', shape: ['batch', 3] }]);
});

test('a Sequential that no shape was noted for takes the one that the caller gives, or says how to give it', () => {
  const [, ...rest] = config.layers;
  const bare = withTopology({ class_name: 'Sequential', config: { layers: rest } });
  const { summary } = convert(bare, { inputShapes: { one_input: [null, 3] } });
  assert.deepEqual(summary.inputs, [{ name: 'one_input', type: 'float32', shape: ['batch', 3] }]);
  assert.throws(() => convert(bare), /^DomainError: Input "one_input" has no .*--input-shape one_input=1,…/);
});

test('a functional chain gives the graph of the Sequential', () => {
  const chain = functional(
    [
      ['InputLayer', { name: 'x', batch_input_shape: [null, 3] }, []],
      // listed out of order, as a file may
      ['Dense', { name: 'two', units: 2, activation: 'softmax' }, [[['drop', 0, 0, {}]]]],
      ['Dense', { name: 'one', units: 2, activation: 'relu' }, [[['x', 0, 0, {}]]]],
      ['Dropout', { name: 'drop', rate: 0.5 }, [[['one', 0, 0, {}]]]],
    ],
    [['two', 0, 0]],
    weights,
  );
  assert.deepEqual(convert(chain).model.graph, convert(reference).model.graph);
});

test('several outputs have the names of their layers, and one value with two names is copied once', () => {
  const { model, summary } = convert(
    functional(
      [
        ['InputLayer', { name: 'x', batch_input_shape: [null, 3] }, []],
        ['Dense', { name: 'one', units: 2 }, [[['x', 0, 0]]]],
        ['Dropout', { name: 'drop', rate: 0.5 }, [[['one', 0, 0]]]],
        ['Activation', { name: 'probabilities', activation: 'softmax' }, [[['one', 0, 0]]]],
      ],
      [
        ['one', 0, 0],
        ['drop', 0, 0],
        ['probabilities', 0, 0],
      ],
      weights.slice(0, 2),
    ),
  );
  assert.deepEqual(
    summary.outputs.map(({ name }) => name),
    ['one', 'drop', 'probabilities'],
  );
  assert.deepEqual(summary.operators, { Gemm: 1, Identity: 1, Softmax: 1 });
  assert.deepEqual(model.graph.values, []);
});

test('a layer that is called twice has its weights once', () => {
  const { model, summary } = convert(
    functional(
      [
        ['InputLayer', { name: 'x', batch_input_shape: [null, 2] }, []],
        ['Dense', { name: 'two', units: 2 }, [[['x', 0, 0, {}]], [['two', 0, 0, {}]]]],
      ],
      [['two', 1, 0]],
      weights.slice(2),
    ),
  );
  assert.deepEqual(
    model.graph.nodes.map(({ inputs, outputs }) => [...inputs, ...outputs]),
    [
      ['x', 'two/kernel', 'two/bias', 'two'],
      ['two', 'two/kernel', 'two/bias', 'two/call_1'],
    ],
  );
  assert.equal(model.graph.initializers.length, 2);
  assert.equal(summary.parameters, 6);
});

test('layers that leave outputs of their operators out do not share a name', () => {
  const recurrent = (name: string): WeightJson[] => [
    [`${name}/kernel`, [3, 8]],
    [`${name}/recurrent_kernel`, [2, 8]],
    [`${name}/bias`, [8]],
  ];
  const branches = functional(
    [
      ['InputLayer', { name: 'x', batch_input_shape: [null, 5, 3] }, []],
      ['LSTM', { name: 'left', units: 2 }, [[['x', 0, 0, {}]]]],
      ['LSTM', { name: 'right', units: 2 }, [[['x', 0, 0, {}]]]],
      ['Add', { name: 'sum' }, [[['left', 0, 0, {}], ['right', 0, 0, {}]]]], // prettier-ignore
    ],
    [['sum', 0, 0]],
    [...recurrent('left'), ...recurrent('right')],
  );
  assert.equal(convert(branches).summary.operators['LSTM'], 2);
});

test('layers that no output needs leave no trace, and their weights are named in a warning', () => {
  const { model, summary } = convert(
    functional(
      [
        ['InputLayer', { name: 'x', batch_input_shape: [null, 3] }, []],
        ['Dense', { name: 'one', units: 2 }, [[['x', 0, 0, {}]]]],
        ['Dense', { name: 'two', units: 2 }, [[['one', 0, 0, {}]]]],
      ],
      ['one', 0, 0],
      weights,
    ),
  );
  assert.equal(model.graph.nodes.length, 1);
  assert.match(summary.warnings[0] ?? '', /two\/kernel, two\/bias/);
});

test('a fixed batch stays fixed, and every open size has a name', () => {
  const x = { name: 'x', batch_input_shape: [8, null, 3], dtype: 'float32' };
  const { summary } = convert({
    modelTopology: {
      class_name: 'Sequential',
      config: [
        { class_name: 'InputLayer', config: x },
        { class_name: 'ReLU', config: { name: 'a' } },
      ],
    },
  });
  assert.deepEqual(summary.outputs[0]?.shape, [8, 'x_axis_1', 3]);
});

test('an integer input is cast for the layers, which compute in float32', () => {
  const x = { name: 'x', batch_input_shape: [null, 3], dtype: 'int32' };
  const { model, summary } = convert({
    modelTopology: {
      class_name: 'Sequential',
      config: [
        { class_name: 'InputLayer', config: x },
        { class_name: 'ReLU', config: { name: 'a' } },
      ],
    },
  });
  assert.equal(summary.inputs[0]?.type, 'int32');
  assert.equal(summary.outputs[0]?.type, 'float32');
  assert.deepEqual(
    model.graph.nodes.map(({ opType }) => opType),
    ['Cast', 'Relu'],
  );
});

test('inner values are written with their shapes', () => {
  assert.deepEqual(
    convert(reference).model.graph.values,
    ['one/preactivation', 'one', 'two/preactivation'].map((name) => ({ name, type: 'float32', shape: ['batch', 2] })),
  );
});

test('the summary counts operators and parameters, and the model says where it came from', () => {
  const { model, summary } = convert({
    ...reference,
    format: 'layers-model',
    generatedBy: 'keras v2.4.0',
    convertedBy: null,
  });
  assert.deepEqual(summary, {
    inputs: [{ name: 'x', type: 'float32', shape: ['batch', 3] }],
    outputs: [{ name: 'two', type: 'float32', shape: ['batch', 2] }],
    operators: { Gemm: 2, Relu: 1, Softmax: 1 },
    parameters: 14,
    opset: 17,
    warnings: [],
  });
  assert.deepEqual(model.metadata, {
    source: 'TensorFlow.js LayersModel',
    source_format: 'layers-model',
    source_generated_by: 'keras v2.4.0',
    source_keras_version: '2.4.0',
  });
  assert.deepEqual(decodeModel(encodeModel(model), 'memory'), model);
});

test('inputs and outputs can be renamed; a name that is not there is a RangeError', () => {
  const { model, summary } = convert(reference, { names: { x: 'image', two: 'probabilities' } });
  assert.equal(summary.inputs[0]?.name, 'image');
  assert.equal(model.graph.nodes[0]?.inputs[0], 'image');
  assert.deepEqual(model.graph.nodes.at(-1)?.outputs, ['probabilities']);
  assert.throws(() => convert(reference, { names: { y: 'z' } }), /no input or output "y"; it has x, two/);
});

test('files of Keras 3 have batch_shape, policies as dtype, weights under the name of the model and another hard sigmoid', () => {
  const dtype = { class_name: 'DTypePolicy', config: { name: 'float32' } };
  const { model } = convert({
    ...sequential(
      [3],
      layers,
      weights.map(([name, shape]) => [`net/${name}`, shape]),
    ),
    modelTopology: {
      keras_version: '3.3.3',
      model_config: {
        class_name: 'Sequential',
        config: {
          name: 'net',
          layers: [
            { class_name: 'InputLayer', config: { name: 'x', batch_shape: [null, 3], dtype } },
            { class_name: 'Dense', config: { name: 'one', units: 2, activation: 'hard_sigmoid', dtype } },
            { class_name: 'LeakyReLU', config: { name: 'leaky', negative_slope: 0.1 } },
            { class_name: 'Dense', config: { name: 'two', units: 2 } },
            { class_name: 'Softmax', config: { name: 'soft' } },
          ],
        },
      },
    },
  });
  const attributes = Object.assign({}, ...model.graph.nodes.map((node) => node.attributes)) as Record<
    string,
    { value: number }
  >;
  assert.equal(attributes['axis']?.value, 1, 'the last of rank 2');
  assert.equal(attributes['beta']?.value, 0.5);
  const [, hardSigmoid, leaky] = model.graph.nodes;
  assert.deepEqual(hardSigmoid?.attributes['alpha'], { type: 'float', value: Math.fround(1 / 6) });
  assert.deepEqual(leaky?.attributes['alpha'], { type: 'float', value: Math.fround(0.1) });
});

test('keys in camel case and wrapped lists are read, as files mended by hand and reloaded ones have them', () => {
  const list = (class_name: string, items: unknown[]) => ({ class_name, items });
  const layers = [
    { className: 'InputLayer', config: { name: 'x', batchInputShape: [null, 2, 3] }, inboundNodes: [] },
    {
      className: 'BatchNormalization',
      config: { name: 'y', axis: list('ListWrapper', [2]), center: false, scale: false },
      inboundNodes: [[['x', 0, 0, {}]]],
    },
  ];
  const statistics: WeightJson[] = [
    ['y/moving_mean', [3]],
    ['y/moving_variance', [3]],
  ];
  const topology = { className: 'Model', config: { layers, inputLayers: ['x', 0, 0], outputLayers: ['y', 0, 0] } };
  const { weightSpecs = [], weightData = new Uint8Array() } = functional([], [], statistics);
  const { summary } = convert({ modelTopology: topology, weightSpecs, weightData });
  assert.deepEqual(summary.outputs, [{ name: 'y', type: 'float32', shape: ['batch', 2, 3] }]);
  const build_input_shape = list('TensorShape', [null, 3]);
  const unbuilt = { layers: [{ class_name: 'ReLU', config: { name: 'y' } }], build_input_shape };
  assert.deepEqual(convert({ modelTopology: { class_name: 'Sequential', config: unbuilt } }).summary.inputs, [
    { name: 'y_input', type: 'float32', shape: ['batch', 3] },
  ]);
});

test('a layer may stand where an activation does', () => {
  const activation = { class_name: 'LeakyReLU', config: { name: 'leaky_re_lu', alpha: 0.2 } };
  const { model } = convert(sequential([3], [['Dense', { name: 'one', units: 2, activation }]], weights.slice(0, 2)));
  assert.deepEqual(
    model.graph.nodes.map(({ opType, outputs }) => [opType, ...outputs]),
    [
      ['Gemm', 'one/preactivation'],
      ['LeakyRelu', 'one'],
    ],
  );
});

test('a file in the form of Keras 3 means what Keras 3 does, whatever version it claims', () => {
  const slope = (claimed: object, input: object) => {
    const layers = [
      { class_name: 'InputLayer', config: { name: 'x', ...input } },
      { class_name: 'Activation', config: { name: 'y', activation: 'hard_sigmoid' } },
    ];
    const { model } = convert({ modelTopology: { ...claimed, class_name: 'Sequential', config: { layers } } });
    return model.graph.nodes[0]?.attributes['alpha'];
  };
  const keras3 = { type: 'float', value: Math.fround(1 / 6) };
  assert.deepEqual(slope({}, { batch_shape: [null, 3] }), keras3);
  assert.deepEqual(slope({ keras_version: '2.15.0' }, { batch_shape: [null, 3] }), keras3);
  const dtype = { class_name: 'DTypePolicy', config: { name: 'float32' } };
  assert.deepEqual(slope({}, { batch_input_shape: [null, 3], dtype }), keras3);
  assert.notDeepEqual(slope({}, { batch_input_shape: [null, 3] }), keras3);
});

test('settings that TensorFlow.js ignores are followed in files of Keras and not in its own, each with a warning', () => {
  const file = sequential(
    [3],
    [
      ['ReLU', { name: 'a', negative_slope: 0.1 }],
      ['LeakyReLU', { name: 'b', negative_slope: 0.1 }],
    ],
  );
  const byTfjs = { ...file, generatedBy: 'TensorFlow.js tfjs-layers v4.22.0' };
  const operators = (artifacts: LayersModelArtifacts, options = {}) => {
    const { summary, model } = convert(artifacts, options);
    return [
      summary.warnings.length,
      ...model.graph.nodes.map(({ opType, attributes }) => [opType, attributes['alpha']]),
    ];
  };
  const slope = (value: number) => ({ type: 'float', value: Math.fround(value) });
  const followed = [['LeakyRelu', slope(0.1)], ['LeakyRelu', slope(0.1)]]; // prettier-ignore
  const ignored = [['Relu', undefined], ['LeakyRelu', slope(0.3)]]; // prettier-ignore
  assert.deepEqual(operators(file), [2, ...followed]);
  assert.deepEqual(operators(file, { semantics: 'keras' }), [0, ...followed]);
  assert.deepEqual(operators(file, { semantics: 'tfjs' }), [2, ...ignored]);
  assert.deepEqual(operators(byTfjs), [2, ...ignored]);
  assert.deepEqual(operators(byTfjs, { semantics: 'keras' }), [0, ...followed]);
  assert.match(
    convert(byTfjs).summary.warnings[0] ?? '',
    /^Layer "a": TensorFlow\.js ignores negative_slope 0\.1 of a ReLU/,
  );
});
