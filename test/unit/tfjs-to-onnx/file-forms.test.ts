import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { convert, type LayersModelArtifacts } from '@atelier/tfjs-to-onnx';
import { functional, type LayerJson, type WeightJson } from './artifacts.ts';

type Entry = Record<string, unknown>;

const inputOf = (name: string, shape: readonly (number | null)[] = [4]): LayerJson => [
  'InputLayer',
  { name, batch_input_shape: [null, ...shape], dtype: 'float32' },
];
const entryOf = ([class_name, config]: LayerJson, inbound_nodes?: unknown): Entry => ({
  class_name,
  config,
  ...(config['name'] !== undefined && { name: config['name'] }),
  ...(inbound_nodes !== undefined && { inbound_nodes }),
});

function sequentialOf(layers: readonly Entry[], others: Entry = {}): LayersModelArtifacts {
  return { modelTopology: { class_name: 'Sequential', config: { name: 'net', layers }, ...others } };
}

/** A tensor in a call of Keras 3. */
const tensor = (...keras_history: [layer: string, call: number, output: number]) => ({
  class_name: '__keras_tensor__',
  config: { shape: [null, 4], dtype: 'float32', keras_history },
});

/** A functional model of Keras 3 with an input x. */
function keras3(
  layers: readonly Entry[],
  output: string,
  weights: readonly WeightJson[] = [],
  shape: readonly (number | null)[] = [4],
) {
  const { weightSpecs = [], weightData = new Uint8Array() } = functional([], [], weights);
  const input = {
    class_name: 'InputLayer',
    name: 'x',
    config: { name: 'x', batch_shape: [null, ...shape], dtype: 'float32' },
    inbound_nodes: [],
  };
  const config = {
    name: 'functional',
    layers: [input, ...layers],
    input_layers: ['x', 0, 0],
    output_layers: [output, 0, 0],
  };
  return {
    modelTopology: { keras_version: '3.6.0', model_config: { class_name: 'Functional', config } },
    weightSpecs,
    weightData,
  };
}

function nodesOf(artifacts: LayersModelArtifacts): string[] {
  return convert(artifacts).model.graph.nodes.map(
    ({ opType, inputs, outputs }) => `${outputs.join()} = ${opType}(${inputs.join()})`,
  );
}

function refusal(artifacts: LayersModelArtifacts): string {
  try {
    convert(artifacts);
  } catch (error) {
    if (error instanceof DomainError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return assert.fail('it was accepted');
}

test('two thousand layers in a row are no stack overflow, in either form', () => {
  const relu = (index: number): LayerJson => ['ReLU', { name: `relu_${index}`, max_value: index + 1 }];
  const count = 2000;
  const chain = Array.from({ length: count }, (_, index) => relu(index));
  const inRow = sequentialOf([inputOf('x'), ...chain].map((layer) => entryOf(layer)));
  const calls = chain.map(
    ([className, config], index) =>
      [className, config, [[[index === 0 ? 'x' : `relu_${index - 1}`, 0, 0, {}]]]] as const,
  );
  const backwards = functional([[...inputOf('x'), []], ...calls.reverse()], [[`relu_${count - 1}`, 0, 0]]);
  for (const artifacts of [inRow, backwards]) {
    assert.deepEqual(convert(artifacts).summary.operators, { Clip: count });
  }
});

test('layers that take each other’s outputs in a circle are malformed-tfjs-model', () => {
  const circle = functional(
    [
      [...inputOf('x'), []],
      [
        'Add',
        { name: 'a' },
        [
          [
            ['x', 0, 0],
            ['c', 0, 0],
          ],
        ],
      ],
      ['ReLU', { name: 'b' }, [[['a', 0, 0]]]],
      ['ReLU', { name: 'c' }, [[['b', 0, 0]]]],
    ],
    [['c', 0, 0]],
  );
  assert.match(refusal(circle), /malformed-tfjs-model: Layer "[abc]" takes its own output/);
});

test('an output of a layer, or of a call, that is not there is malformed-tfjs-model, with who takes it', () => {
  const taking = (reference: unknown[], output: unknown[] = ['a', 0, 0]) =>
    functional(
      [
        [...inputOf('x'), []],
        ['ReLU', { name: 'a' }, [[reference]]],
      ],
      [output],
    );
  assert.match(refusal(taking(['gone', 0, 0])), /Layer "a" takes the output of layer "gone"; there is no such layer/);
  assert.match(refusal(taking(['x', 0, 0], ['gone', 0, 0])), /The model takes the output of layer "gone"/);
  assert.match(refusal(taking(['x', 0, 1])), /Output 1 of layer "x" \(InputLayer\) is used; it has only output 0/);
  assert.match(refusal(taking(['x', 0, 0], ['a', 1, 0])), /Call 1 of layer "a" is used; inbound_nodes has 1 calls/);
  assert.match(refusal(taking(['x', 0, -1])), /expected \[layer name, call number, output number\]/);
});

test('a model without inputs or outputs, or whose input is another layer, is malformed-tfjs-model', () => {
  const relu = ['ReLU', { name: 'a' }, [[['x', 0, 0]]]] as const;
  assert.match(refusal(functional([[...inputOf('x'), []], relu], [])), /The model has no outputs/);
  const artifacts = functional([[...inputOf('x'), []], relu], [['a', 0, 0]]);
  const { model_config: model } = artifacts.modelTopology as { model_config: { config: Entry } };
  const withInputs = (input_layers: unknown) => ({
    ...artifacts,
    modelTopology: { ...model, config: { ...model.config, input_layers } },
  });
  assert.match(refusal(withInputs([])), /The model has no inputs/);
  assert.match(refusal(withInputs([['a', 0, 0]])), /input_layers names "a"; expected an InputLayer of the model/);
});

test('inputs and outputs may be one reference, a list, or a dictionary', () => {
  const artifacts = functional(
    [
      [...inputOf('x'), []],
      [...inputOf('y'), []],
      [
        'Add',
        { name: 'a' },
        [
          [
            ['x', 0, 0],
            ['y', 0, 0],
          ],
        ],
      ],
    ],
    { sum: ['a', 0, 0], again: [['x', 0, 0]] },
  );
  const { summary } = convert(artifacts);
  assert.deepEqual(
    [...summary.inputs, ...summary.outputs].map(({ name }) => name),
    ['x', 'y', 'a', 'x/output'],
  );
});

test('one value may be an output twice, and so may an input', () => {
  const artifacts = functional(
    [
      [...inputOf('x'), []],
      ['ReLU', { name: 'a' }, [[['x', 0, 0]]]],
    ],
    [
      ['a', 0, 0],
      ['x', 0, 0],
      ['a', 0, 0],
      ['x', 0, 0],
    ],
  );
  const { summary } = convert(artifacts);
  assert.deepEqual(
    summary.outputs.map(({ name }) => name),
    ['a', 'x/output', 'a/output', 'x/output_2'],
  );
  assert.deepEqual(summary.operators, { Identity: 3, Relu: 1 });
});

test('an InputLayer behind others of a Sequential is malformed-tfjs-model', () => {
  const layers = [inputOf('x'), ['ReLU', { name: 'a' }] as const, inputOf('y')].map((layer) => entryOf(layer));
  assert.match(refusal(sequentialOf(layers)), /Layer "y" is an InputLayer behind others of a Sequential/);
});

test('a model inside that gets fewer inputs than it takes, or more, is malformed-tfjs-model', () => {
  const inner = {
    name: 'inner',
    layers: [
      entryOf(inputOf('a'), []),
      entryOf(inputOf('b'), []),
      entryOf(
        ['Add', { name: 'sum' }],
        [
          [
            ['a', 0, 0, {}],
            ['b', 0, 0, {}],
          ],
        ],
      ),
    ],
    input_layers: [
      ['a', 0, 0],
      ['b', 0, 0],
    ],
    output_layers: [['sum', 0, 0]],
  };
  const calling = (...names: string[]) =>
    functional(
      [
        [...inputOf('x'), []],
        ['Functional', inner, [names.map((name) => [name, 0, 0, {}])]],
      ],
      [['inner', 1, 0]],
    );
  assert.match(refusal(calling('x')), /Model "inner" takes 2 inputs; it is given 1/);
  assert.match(refusal(calling('x', 'x', 'x')), /Model "inner" takes 2 inputs; it is given 3/);
  assert.deepEqual(convert(calling('x', 'x')).summary.operators, { Add: 1 });
});

test('a Sequential without an input shape has the one that it was built for, which Keras notes in three places', () => {
  const relu = entryOf(['ReLU', { name: 'a' }]);
  const built = { input_shape: [null, 5, 4] };
  for (const artifacts of [
    sequentialOf([{ ...relu, build_config: built }]),
    sequentialOf([relu], { build_config: built }),
    {
      modelTopology: {
        class_name: 'Sequential',
        config: { name: 'net', layers: [relu], build_input_shape: built.input_shape },
      },
    },
  ]) {
    assert.deepEqual(convert(artifacts).summary.inputs, [{ name: 'a_input', type: 'float32', shape: ['batch', 5, 4] }]);
  }
  assert.match(refusal(sequentialOf([relu])), /Input "a_input" has no batch_input_shape/);
});

test('the input of an Embedding is as long as it says, and open where it says nothing: input_dim is the number of its words', () => {
  const embedding = (config: Entry) =>
    sequentialOf([
      entryOf(['Embedding', { name: 'e', input_dim: 10, output_dim: 2, ...config }]),
      entryOf(['Flatten', { name: 'f' }]),
    ]);
  for (const [config, shape] of [
    [{}, ['batch', 'e_input_axis_1']],
    [{ input_length: 7 }, ['batch', 7]],
    [{ input_length: [7], batch_size: 2 }, [2, 7]],
    [{ batch_input_shape: [null, 3] }, ['batch', 3]],
  ] as const) {
    const { weightSpecs = [], weightData = new Uint8Array() } = functional([], [], [['e/embeddings', [10, 2]]]);
    const { summary } = convert({ ...embedding(config), weightSpecs, weightData });
    assert.deepEqual(summary.inputs[0]?.shape, shape);
  }
});

test('layers without a name have the one that TensorFlow.js gives, under which their weights are', () => {
  const { weightSpecs = [], weightData = new Uint8Array() } = functional(
    [],
    [],
    [
      ['dense_Dense1/kernel', [4, 2]],
      ['dense_Dense2/kernel', [2, 2]],
    ],
  );
  const dense = { class_name: 'Dense', config: { units: 2, use_bias: false } };
  const artifacts = sequentialOf([
    { class_name: 'InputLayer', config: { batch_input_shape: [null, 4] } },
    dense,
    { class_name: 'LeakyReLU', config: {} },
    dense,
  ]);
  assert.deepEqual(nodesOf({ ...artifacts, weightSpecs, weightData }), [
    'dense_Dense1 = Gemm(input1,dense_Dense1/kernel)',
    'leaky_re_lu_LeakyReLU1 = LeakyRelu(dense_Dense1)',
    'dense_Dense2 = Gemm(leaky_re_lu_LeakyReLU1,dense_Dense2/kernel)',
  ]);
});

test('operations of Keras 3 are told from the layers of the same names, by module or by what they take', () => {
  const add = (entry: Entry) =>
    keras3(
      [
        {
          class_name: 'ReLU',
          name: 'r',
          config: { name: 'r' },
          inbound_nodes: [{ args: [tensor('x', 0, 0)], kwargs: {} }],
        },
        { class_name: 'Add', name: 'add', config: { name: 'add' }, ...entry },
      ],
      'add',
      [],
      [3, 4],
    );
  const two = [tensor('x', 0, 0), tensor('r', 0, 0)];
  assert.deepEqual(nodesOf(add({ inbound_nodes: [{ args: [two], kwargs: {} }] })).at(-1), 'add = Add(x,r)');
  assert.deepEqual(nodesOf(add({ inbound_nodes: [{ args: two, kwargs: {} }] })).at(-1), 'add = Add(x,r)');
  assert.deepEqual(
    nodesOf(add({ module: 'keras.src.ops.numpy', inbound_nodes: [{ args: [tensor('x', 0, 0), 1.5], kwargs: {} }] })).at(
      -1,
    ),
    'add = Add(x,add/argument_1)',
  );
  const argmax = add({
    class_name: 'Argmax',
    module: 'keras.src.ops.numpy',
    inbound_nodes: [{ args: [two[0]], kwargs: {} }],
  });
  assert.match(refusal(argmax), /unsupported-layer: Layer "add" is a keras\.ops\.Argmax/);
});

test('operations of Keras 3 that make a mask: a step counts where any of its features is another number', () => {
  const mask: Entry[] = [
    {
      class_name: 'NotEqual',
      name: 'not_equal',
      config: { name: 'not_equal' },
      inbound_nodes: [{ args: [tensor('x', 0, 0), 0], kwargs: {} }],
    },
    {
      class_name: 'Any',
      name: 'any',
      config: { name: 'any', axis: -1, keepdims: false },
      inbound_nodes: [{ args: [tensor('not_equal', 0, 0)], kwargs: {} }],
    },
  ];
  const { summary } = convert(keras3(mask, 'any', [], [null, 4]));
  assert.deepEqual(summary.outputs, [{ name: 'any', type: 'bool', shape: ['batch', 'x_axis_1'] }]);
  assert.deepEqual(summary.operators, { Cast: 2, Equal: 1, Not: 1, ReduceMax: 1 });
});

test('a mask that a call hands over goes to the layer, as truth whatever type it has', () => {
  const softmax = {
    class_name: 'Softmax',
    name: 's',
    config: { name: 's', trainable: true },
    inbound_nodes: [{ args: [tensor('x', 0, 0)], kwargs: { mask: tensor('x', 0, 0) } }],
  };
  const operators = convert(keras3([softmax], 's')).model.graph.nodes.map(({ opType }) => opType);
  assert.deepEqual(operators, ['Cast', 'Not', 'Cast', 'Mul', 'Add', 'Softmax']);
});

test('an argument that is a number stands in the place of an input, in the words of Keras 2 and of Keras 3', () => {
  const artifacts = functional(
    [
      [...inputOf('x'), []],
      [
        'Multiply',
        { name: 'm' },
        [
          [
            ['x', 0, 0, {}],
            ['_CONSTANT_VALUE', -1, 2.5, {}],
          ],
        ],
      ],
    ],
    [['m', 0, 0]],
  );
  assert.deepEqual(nodesOf(artifacts), ['m = Mul(x,m/argument_1)']);
  const text = functional(
    [
      [...inputOf('x'), []],
      [
        'Multiply',
        { name: 'm' },
        [
          [
            ['x', 0, 0, {}],
            ['_CONSTANT_VALUE', -1, 'a', {}],
          ],
        ],
      ],
    ],
    [['m', 0, 0]],
  );
  assert.match(refusal(text), /has the argument "a"; supported: outputs of layers, and numbers/);
});

test('calls of a Sequential inside are counted from 0 by Keras 3, from 1 by TensorFlow.js and Keras 2', () => {
  const inner = {
    name: 'inner',
    layers: [inputOf('y'), ['ReLU', { name: 'r' }] as const].map((layer) => entryOf(layer)),
  };
  const byKeras3 = (output: [string, number, number], own = 0) => {
    const calls = [
      { args: [tensor('x', 0, 0)], kwargs: {} },
      { args: [tensor('inner', own, 0)], kwargs: {} },
    ];
    const file = keras3([{ class_name: 'Sequential', name: 'inner', config: inner, inbound_nodes: calls }], 'inner');
    const { model_config: model } = file.modelTopology;
    return {
      ...file,
      modelTopology: {
        ...file.modelTopology,
        model_config: { ...model, config: { ...model.config, output_layers: output } },
      },
    };
  };
  const byKeras2 = (output: [string, number, number]) =>
    functional(
      [
        [...inputOf('x'), []],
        ['Sequential', inner, [[['x', 0, 0, {}]], [['inner', 1, 0, {}]]]],
      ],
      [output],
    );
  const relus = (artifacts: LayersModelArtifacts) => convert(artifacts).summary.operators['Relu'];
  assert.deepEqual([relus(byKeras3(['inner', 0, 0])), relus(byKeras3(['inner', 1, 0]))], [1, 2]);
  assert.equal(relus(byKeras3(['inner', 2, 0], 1)), 2, 'a number that only counting from 1 explains');
  assert.deepEqual([relus(byKeras2(['inner', 1, 0])), relus(byKeras2(['inner', 2, 0]))], [1, 2]);
});
