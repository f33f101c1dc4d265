import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { float32Values, type OnnxGraph } from '@atelier/onnx';
import { convert, type ConvertOptions, type LayersModelArtifacts } from '@atelier/tfjs-to-onnx';
import { functional, type LayerJson, sequential, type WeightJson } from './artifacts.ts';
import { listed } from './listed.ts';

/** Weights of a cell of two units over three features. */
const weightsOf = (path: string, gates: number, inputs = 3): WeightJson[] => [
  [`${path}/kernel`, [inputs, gates * 2]],
  [`${path}/recurrent_kernel`, [2, gates * 2]],
  [`${path}/bias`, [gates * 2]],
];

/** Names, operators and inputs; the attributes of recurrent operators are tested by their results. */
function plain({ nodes }: Pick<OnnxGraph, 'nodes'>): string[] {
  return nodes.map(({ outputs, opType, inputs }) => `${outputs.join(', ')} = ${opType}(${inputs.join(', ')})`);
}

function bodyOf({ nodes }: OnnxGraph): OnnxGraph {
  const body = nodes.find(({ opType }) => opType === 'Scan')?.attributes['body'];
  return body?.type === 'graph' ? body.value : assert.fail('there is a Scan with a body');
}

const units = { name: 'r', units: 2 };

function convertOne(layers: LayerJson[], weights: WeightJson[], options: ConvertOptions = {}) {
  const { model, summary } = convert(sequential([null, 3], layers, weights), options);
  return { graph: model.graph, summary };
}

describe('nodes of recurrent layers', () => {
  test('an LSTM that gives its last output is the operator, between the layouts of both', () => {
    const { graph, summary } = convertOne([['LSTM', units]], weightsOf('r', 4));
    assert.deepEqual(listed(graph), [
      'r/time_major = Transpose(x) {perm: [1,0,2]}',
      ', r/h_of_directions = LSTM(r/time_major, r/W, r/R, r/B) {hidden_size: 2, direction: "forward", ' +
        'activations: ["HardSigmoid","Tanh","Tanh"], activation_alpha: [0.20000000298023224], activation_beta: [0.5]}',
      'r = Squeeze(r/h_of_directions, r/axes)',
    ]);
    assert.deepEqual(summary.outputs[0]?.shape, ['batch', 2]);
    assert.equal(summary.parameters, 3 * 8 + 2 * 8 + 8);
  });

  test('the weights of an LSTM are turned, its gates in the order of the operator, its second bias zeros', () => {
    const { graph } = convertOne([['LSTM', units]], weightsOf('r', 4));
    const constants = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
    const rows = Array.from(float32Values(constants.get('r/W') ?? assert.fail()));
    // The kernel counts 0, 1, 2, ...: its first row is 0 to 7, two columns for each gate.
    assert.deepEqual(rows.slice(0, 6), [0, 8, 16, 1, 9, 17]);
    assert.deepEqual(
      rows.filter((_, index) => index % 3 === 0),
      [0, 1, 6, 7, 2, 3, 4, 5],
    );
    assert.deepEqual(Array.from(float32Values(constants.get('r/B') ?? assert.fail())), [
      ...[0, 1, 6, 7, 2, 3, 4, 5],
      ...new Array<number>(8).fill(0),
    ]);
  });

  test('a layer that goes backwards is the operator in reverse, and its sequence is turned round', () => {
    const config = { ...units, go_backwards: true, return_sequences: true };
    const { graph } = convertOne([['SimpleRNN', config]], weightsOf('r', 1));
    assert.deepEqual(plain(graph).slice(1), [
      'r/sequence = RNN(r/time_major, r/W, r/R, r/B)',
      'r/batch_major_sequence = Squeeze(r/sequence, r/axes_2)',
      'r/before_transpose = Slice(r/batch_major_sequence, r/starts, r/ends, r/moved_axes, r/steps)',
      'r = Transpose(r/before_transpose)',
    ]);
  });

  test('two layers of one stack meet without a Transpose between them', () => {
    const cells = ['LSTMCell', 'GRUCell'].map((class_name, index) => ({
      class_name,
      config: { ...units, name: `cell_${index}` },
    }));
    const cell = { class_name: 'StackedRNNCells', config: { name: 'stack', cells } };
    const { summary } = convertOne(
      [['RNN', { name: 'r', cell }]],
      [...weightsOf('r/RNNCell_0', 4), ...weightsOf('r/RNNCell_1', 3, 2)],
    );
    assert.deepEqual(summary.operators, { GRU: 1, LSTM: 1, Squeeze: 2, Transpose: 1 });
  });

  test('an activation that the operator does not have makes it a Scan with the cell written out', () => {
    const { graph } = convertOne([['SimpleRNN', { ...units, activation: 'swish' }]], weightsOf('r', 1));
    assert.equal(plain(graph).at(-1), 'r = Scan(r/zeros, r/gates)');
    const body = bodyOf(graph);
    assert.deepEqual(plain(body), [
      'r/step/recurrent = MatMul(r/step/state_0, r/recurrent_kernel)',
      'r/step/sum = Add(r/step/slice_0, r/step/recurrent)',
      'r/step/activation/gate = Sigmoid(r/step/sum)',
      'r/step/activation/gated = Mul(r/step/sum, r/step/activation/gate)',
    ]);
    for (const { type, shape } of [...body.inputs, ...body.outputs]) {
      assert.deepEqual([type, shape], ['float32', ['batch', 2]]);
    }
  });

  test('under a mask it is a Scan that keeps the state where a step does not count', () => {
    const { graph } = convertOne(
      [
        ['Masking', { name: 'm' }],
        ['SimpleRNN', units],
      ],
      weightsOf('r', 1),
    );
    assert.equal(
      plain(bodyOf(graph)).at(-1),
      'r/step/kept_0 = Where(r/step/slice_1, r/step/activation/Tanh, r/step/state_0)',
    );
    assert.deepEqual(plain(graph).slice(0, 7), [
      'm/is_mask_value = Equal(x, m/mask_value)',
      'm/differs = Not(m/is_mask_value)',
      'm/float32 = Cast(m/differs)',
      'm/counts = ReduceMax(m/float32)',
      'm = Mul(x, m/counts)',
      'm/counted = Squeeze(m/counts, m/axes)',
      'm/bool = Cast(m/counted)',
    ]);
  });

  test('a mask that nothing heeds leaves no node', () => {
    const { summary } = convertOne(
      [
        ['Masking', { name: 'm' }],
        ['Dense', { name: 'd', units: 2, use_bias: false }],
      ],
      [['d/kernel', [3, 2]]],
    );
    assert.deepEqual(summary.operators, { Cast: 1, Equal: 1, MatMul: 1, Mul: 1, Not: 1, ReduceMax: 1 });
  });

  const both = (config: object, inner: object = {}): LayerJson => [
    'Bidirectional',
    { name: 'b', layer: { class_name: 'GRU', config: { ...units, ...inner } }, ...config },
  ];
  const ofBoth = [...weightsOf('b/forward_r', 3), ...weightsOf('b/backward_r', 3)];
  for (const [mode, nodes] of [
    ['concat', ['b/beside_each_other = Transpose(b/h_of_directions)', 'b = Reshape(b/beside_each_other, b/shape)']],
    ['sum', ['b = ReduceSum(b/h_of_directions, b/axes)']],
    ['mul', ['b = ReduceProd(b/h_of_directions)']],
    ['ave', ['b = ReduceMean(b/h_of_directions)']],
  ] as const) {
    test(`a Bidirectional that merges by ${mode} is one operator`, () => {
      const { graph } = convertOne([both({ merge_mode: mode })], ofBoth);
      assert.deepEqual(plain(graph), [
        'b/time_major = Transpose(x)',
        ', b/h_of_directions = GRU(b/time_major, b/W, b/R, b/B)',
        ...nodes,
      ]);
    });
  }

  test('a Bidirectional of a layer that goes backwards is two operators', () => {
    const { summary } = convertOne([both({}, { go_backwards: true })], ofBoth);
    assert.equal(summary.operators['GRU'], 2);
  });

  test('TimeDistributed of Dense is Dense; of Flatten it is Flatten between Reshapes', () => {
    const dense: LayerJson = [
      'TimeDistributed',
      { name: 't', layer: { class_name: 'Dense', config: { ...units, name: 'd' } } },
    ];
    const weights: WeightJson[] = [
      ['t/kernel', [3, 2]],
      ['t/bias', [2]],
    ];
    assert.deepEqual(plain(convertOne([dense], weights).graph), [
      't/product = MatMul(x, t/kernel)',
      't = Add(t/product, t/bias)',
    ]);
    const flatten: LayerJson = [
      'TimeDistributed',
      { name: 't', layer: { class_name: 'Flatten', config: { name: 'f' } } },
    ];
    const { model, summary } = convert(sequential([4, 3, 2], [flatten]));
    assert.deepEqual(plain(model.graph), [
      't/steps = Reshape(x, t/shape)',
      't/f/Flatten = Flatten(t/steps)',
      't = Reshape(t/f/Flatten, t/shape_2)',
    ]);
    assert.deepEqual(summary.outputs[0]?.shape, ['batch', 4, 6]);
  });

  test('an Embedding of floats cuts them off first', () => {
    const embedding: LayerJson = ['Embedding', { name: 'e', input_dim: 5, output_dim: 3 }];
    const { model } = convert(sequential([null], [embedding], [['e/embeddings', [5, 3]]]));
    assert.deepEqual(plain(model.graph), ['e/int64 = Cast(x)', 'e = Gather(e/embeddings, e/int64)']);
  });

  test('a stateful layer has its states as inputs and outputs of the graph, and says so', () => {
    const { graph, summary } = convertOne([['LSTM', { ...units, stateful: true }]], weightsOf('r', 4));
    assert.deepEqual(
      [...summary.inputs, ...summary.outputs].map(({ name }) => name),
      ['x', 'r/initial_h', 'r/initial_c', 'r', 'r/last_h', 'r/last_c'],
    );
    assert.equal(plain(graph).at(-1), 'r/last_h = Identity(r)');
    assert.deepEqual(summary.warnings, [
      'Layer "r": It is stateful: "r/initial_h" takes what "r/last_h" gave, "r/initial_c" takes what "r/last_c" gave in the run before, zeros in the first.',
    ]);
  });
});

const masked = (layer: LayerJson, weights: WeightJson[]) =>
  convertOne([['Masking', { name: 'm' }], layer], weights).summary;
const inputLayer = (name: string, ...shape: (number | null)[]) =>
  ['InputLayer', { name, batch_input_shape: [null, ...shape] }, []] as const;

describe('what is told', () => {
  test('of settings that TensorFlow.js ignores', () => {
    const { warnings } = masked(['LSTM', { ...units, zero_output_for_mask: true }], weightsOf('r', 4));
    assert.deepEqual(warnings, [
      'Layer "r": The ONNX model follows zero_output_for_mask true of a LSTM; TensorFlow.js ignores it, as semantics "tfjs" does.',
    ]);
  });

  test('of masked first steps with initial states', () => {
    const artifacts = functional(
      [
        inputLayer('x', null, 3),
        inputLayer('h', 2),
        ['Masking', { name: 'm' }, [[['x', 0, 0, {}]]]],
        ['SimpleRNN', units, [[['m', 0, 0, { initial_state: [['h', 0, 0]] }]]]],
      ],
      [['r', 0, 0]],
      weightsOf('r', 1),
    );
    const [warning, ...others] = convert(artifacts).summary.warnings;
    assert.match(
      warning ?? '',
      /TensorFlow\.js gives the initial state, and not zeros, before the first step that counts/,
    );
    assert.deepEqual(others, []);
    assert.deepEqual(convert(artifacts, { semantics: 'keras' }).summary.warnings, []);
    assert.deepEqual(convert(artifacts, { semantics: 'tfjs' }).summary.warnings, []);
  });

  test('of a stateful layer that gives its states', () => {
    const layer: LayerJson = ['SimpleRNN', { ...units, stateful: true, return_state: true }];
    const { warnings } = convertOne([layer], weightsOf('r', 1)).summary;
    assert.match(warnings.join(), /TensorFlow\.js computes it once for each of its outputs that is used/);
  });

  test('of the order of the states of a stack', () => {
    const cells = [0, 1].map((index) => ({ class_name: 'SimpleRNNCell', config: { ...units, name: `c${index}` } }));
    const layer: LayerJson = [
      'RNN',
      { name: 'r', cell: { class_name: 'StackedRNNCells', config: { name: 's', cells } }, return_state: true },
    ];
    const weights = [...weightsOf('r/c0', 1), ...weightsOf('r/c1', 1, 2)];
    assert.deepEqual(convertOne([layer], weights).summary.warnings, [
      'Layer "r": The states of its first cell come first; TensorFlow.js begins with its last cell.',
    ]);
  });

  test('of the mask of the steps of TimeDistributed, which TensorFlow.js hands to the layer inside', () => {
    const inner = { class_name: 'SimpleRNN', config: units };
    const artifacts = sequential(
      [3, 4, 3],
      [
        ['Masking', { name: 'm' }],
        ['Reshape', { name: 'same', target_shape: [3, 2, 6] }],
        ['TimeDistributed', { name: 't', layer: inner }],
      ],
      weightsOf('t', 1, 6),
    );
    for (const semantics of ['keras', 'tfjs'] as const) {
      const { warnings } = convert(artifacts, { semantics }).summary;
      assert.equal(warnings.length, semantics === 'tfjs' ? 1 : 0, warnings.join());
    }
  });
});

function refusal(code: string, artifacts: LayersModelArtifacts): string {
  try {
    convert(artifacts);
  } catch (error) {
    assert.ok(error instanceof DomainError, String(error));
    assert.equal(error.code, code, error.message);
    return error.message;
  }
  assert.fail('it was accepted');
}

const one = (layer: LayerJson, weights: WeightJson[] = [], shape: (number | null)[] = [null, 3]) =>
  sequential(shape, [layer], weights);
const nested = (className: string, inner: string, config: object = {}): LayerJson => [
  className,
  { name: 'w', layer: { class_name: inner, config: { name: 'i', units: 2, ...config } } },
];

const refusals: [what: string, code: string, artifacts: LayersModelArtifacts, reason: RegExp][] = [
  [
    'time first',
    'unsupported-layer',
    one(['LSTM', { ...units, time_major: true }]),
    /has time_major true; supported: false\. Permute/,
  ],
  [
    'constants',
    'unsupported-layer',
    one(['GRU', { ...units, num_constants: 1 }]),
    /has num_constants 1; supported: 0\. Make/,
  ],
  [
    'a cell of another class',
    'unsupported-layer',
    one(['RNN', { name: 'r', cell: { class_name: 'PeepholeCell', config: { name: 'p' } } }]),
    /Layer "r" \(RNN\) has a cell of class PeepholeCell; supported: SimpleRNNCell, GRUCell, LSTMCell, ConvLSTM2DCell, and Stacked/,
  ],
  [
    'a stack of no cells',
    'malformed-tfjs-model',
    one(['RNN', { name: 'r', cell: { class_name: 'StackedRNNCells', config: { name: 's', cells: [] } } }]),
    /The cell of layer "r" is a stack without cells/,
  ],
  [
    'a cell without its states',
    'malformed-tfjs-model',
    one(['LSTMCell', units], [], [3]),
    /"r" \(LSTMCell\) takes 1 inputs; expected one and 2 states/,
  ],
  [
    'an unknown number of features',
    'malformed-tfjs-model',
    one(['GRU', units], [], [4, null]),
    /expected \[batch, time, features\] with a known number/,
  ],
  [
    'a sequence of images',
    'malformed-tfjs-model',
    one(['GRU', units], [], [4, 2, 3]),
    /"r" \(GRUCell\) takes \[batch, 4, 2, 3\]; expected \[batch, time, features\]/,
  ],
  [
    'an image without time',
    'malformed-tfjs-model',
    one(['ConvLSTM2D', { name: 'r', filters: 2, kernel_size: 2 }], [], [4, 4, 3]),
    /takes \[batch, 4, 4, 3\]; expected rank 5/,
  ],
  [
    'a Bidirectional of another layer',
    'unsupported-layer',
    one(nested('Bidirectional', 'Dense')),
    /"w" is a Bidirectional of a Dense; supported: SimpleRNN, GRU/,
  ],
  [
    'TimeDistributed of a matrix',
    'malformed-tfjs-model',
    one(nested('TimeDistributed', 'Dense'), [], [3]),
    /takes \[batch, 3\]; expected \[batch, time, \.\.\.\]/,
  ],
  [
    'TimeDistributed of a stateful layer',
    'unsupported-layer',
    one(nested('TimeDistributed', 'LSTM', { stateful: true }), [], [4, 5, 3]),
    /goes over the stateful layer "i".*Use a recurrent layer in its place/,
  ],
  [
    'TimeDistributed of a layer with several outputs',
    'unsupported-layer',
    one(nested('TimeDistributed', 'SimpleRNN', { return_state: true }), weightsOf('w', 1), [4, 5, 3]),
    /goes over "i", which gives 2 values; supported: one/,
  ],
  [
    'initial states of another number',
    'malformed-tfjs-model',
    functional(
      [
        inputLayer('x', null, 3),
        inputLayer('h', 2),
        ['LSTM', units, [[['x', 0, 0, { initial_state: [['h', 0, 0]] }]]]],
      ],
      [['r', 0, 0]],
      weightsOf('r', 4),
    ),
    /"r" \(LSTM\) takes 1 initial states; expected 2/,
  ],
  [
    'a mask that is not one for each step',
    'unsupported-layer',
    functional(
      [
        inputLayer('x', null, 3),
        ['Masking', { name: 'm' }, [[['y', 0, 0, {}]]]],
        inputLayer('y', 2, 2, 3),
        ['Reshape', { name: 'n', target_shape: [2, 2, 3] }, [[['m', 0, 0, {}]]]],
        ['LSTM', units, [[['x', 0, 0, { mask: ['n', 0, 0] }]]]],
      ],
      [['r', 0, 0]],
      weightsOf('r', 4),
    ),
    /"r" \(LSTM\) takes a mask of shape \[batch, 2, 2, 3\]; supported: \[batch, time\]/,
  ],
  [
    'a stateful layer that is called twice',
    'unsupported-layer',
    functional(
      [
        inputLayer('x', null, 2),
        ['LSTM', { ...units, stateful: true, return_sequences: true }, [[['x', 0, 0, {}]], [['r', 0, 0, {}]]]],
      ],
      [['r', 1, 0]],
      weightsOf('r', 4, 2),
    ),
    /"r" \(LSTM\) is stateful and called more than once; supported: once\. Use two layers/,
  ],
];

for (const [what, code, artifacts, reason] of refusals) {
  test(`${what} is ${code}`, () => {
    assert.match(refusal(code, artifacts), reason);
  });
}

test('weights that stay quantised are those beside the loop; in it they are plain numbers', () => {
  const { weightSpecs = [], ...artifacts } = sequential(
    [null, 3],
    [['SimpleRNN', { ...units, activation: 'swish' }]],
    weightsOf('r', 1),
  );
  const quantised = {
    ...artifacts,
    weightSpecs: weightSpecs.map((spec) => ({ ...spec, quantization: { dtype: 'uint8', scale: 0.5, min: -1 } })),
    weightData: Uint8Array.from({ length: 12 }, (_, index) => index),
  };
  const { model } = convert(quantised, { keepQuantized: true });
  const types = new Map(model.graph.initializers.map(({ name, type }) => [name, type]));
  assert.equal(types.get('r/kernel/quantized'), 'uint8');
  assert.equal(types.get('r/recurrent_kernel'), 'float32');
});
