import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError } from '@atelier/domain';
import {
  convert,
  type ConvertOptions,
  joinGroups,
  type LayersModelArtifacts,
  readModelJson,
  SUPPORTED_ACTIVATIONS,
  SUPPORTED_LAYERS,
} from '@atelier/tfjs-to-onnx';
import { functional, type LayerJson, sequential, type WeightJson } from './artifacts.ts';

function refusal(code: string, attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    assert.ok(error instanceof DomainError, String(error));
    assert.equal(error.code, code, error.message);
    return error.message;
  }
  assert.fail('it was accepted');
}

const layerOf = (layer: LayerJson, shape: (number | null)[] = [4], weights: WeightJson[] = []) =>
  sequential(shape, [layer], weights);
const dense: LayerJson = ['Dense', { name: 'd', units: 2 }];
const weights: WeightJson[] = [
  ['d/kernel', [4, 2]],
  ['d/bias', [2]],
];
const whole = layerOf(dense, [4], weights);
const x = ['InputLayer', { name: 'x', batch_input_shape: [null, 4] }, []] as const;

test('a layer without a rule is refused by name, with what is supported and the way out', () => {
  const message = refusal('unsupported-layer', () => convert(layerOf(['Fancy', { name: 'fancy_1' }])));
  assert.match(
    message,
    /^Layer "fancy_1" is a Fancy, a class without a rule: .* Build the model without it, or add a rule for it; /,
  );
  for (const layer of SUPPORTED_LAYERS) assert.ok(message.includes(layer));
});

test('an activation that is not in the table is refused by name', () => {
  const message = refusal('unsupported-layer', () =>
    convert(layerOf(['Activation', { name: 'a', activation: 'sine' }])),
  );
  assert.match(message, /^Layer "a" \(Activation\) has activation "sine"; supported: /);
  for (const activation of SUPPORTED_ACTIVATIONS) assert.ok(message.includes(activation));
});

const unsupported: [what: string, artifacts: LayersModelArtifacts, reason: RegExp][] = [
  [
    'a model of another class',
    { modelTopology: { class_name: 'Custom', config: {} } },
    /The model is a Custom; supported: Sequential/,
  ],
  ['a layer called constructor', layerOf(['constructor', { name: 'c' }]), /Layer "c" is a constructor/],
  [
    'a BatchNormalization over the batch',
    layerOf(['BatchNormalization', { name: 'n', axis: [0, 2] }], [4, 4]),
    /"n" is a BatchNormalization over the batch/,
  ],
  [
    'a LayerNormalization over the batch',
    layerOf(['LayerNormalization', { name: 'n', axis: 0 }], [4, 4]),
    /"n" is a LayerNormalization over the batch/,
  ],
  [
    'a LayerNormalization whose meaning depends on the version of Keras',
    layerOf(['LayerNormalization', { name: 'n', rms_scaling: true }], [4, 4]),
    /rms_scaling.* Use RMSNormalization/,
  ],
  [
    'a RandomCrop that resizes',
    layerOf(['RandomCrop', { name: 'c', height: 2, width: 4 }], [4, 4, 3]),
    /"c" is a RandomCrop of \[batch, 4, 4, 3\].* Use CenterCrop/,
  ],
  [
    'a CategoryEncoding of the batch',
    layerOf(['CategoryEncoding', { name: 'c', num_tokens: 3 }], []),
    /would encode the batch as one/,
  ],
  [
    'a call with arguments',
    functional([x, ['ReLU', { name: 'a' }, [[['x', 0, 0, { constants: 3 }]]]]], [['a', 0, 0]]),
    /call arguments \{"constants":3\}/,
  ],
];

for (const [what, artifacts, reason] of unsupported) {
  test(`${what} is unsupported-layer`, () => {
    assert.match(
      refusal('unsupported-layer', () => convert(artifacts)),
      reason,
    );
  });
}

const malformed: [what: string, artifacts: LayersModelArtifacts, reason: RegExp][] = [
  ['no topology', {}, /modelTopology is missing; expected an object/],
  ['a topology that is text', { modelTopology: 'model' }, /modelTopology is "model"/],
  ['a topology without a class', { modelTopology: {} }, /class_name of the model is missing/],
  ['no layers', { modelTopology: { class_name: 'Sequential', config: [] } }, /no layers; expected at least one/],
  ['a layer whose name is no text', layerOf(['ReLU', { name: 3 }]), /The name of layer 1 \(ReLU\) is 3; expected text/],
  [
    'two layers of one name',
    sequential(
      [4],
      [
        ['ReLU', { name: 'a' }],
        ['ReLU', { name: 'a' }],
      ],
    ),
    /Two layers are called "a"/,
  ],
  [
    'an input without a shape',
    { modelTopology: { class_name: 'Sequential', config: [{ class_name: 'ReLU', config: { name: 'a' } }] } },
    /Input "a_input" has no batch_input_shape/,
  ],
  [
    'an input of an unknown dtype',
    {
      modelTopology: {
        class_name: 'Sequential',
        config: [{ class_name: 'InputLayer', config: { name: 'x', batch_input_shape: [null, 1], dtype: 'float8' } }],
      },
    },
    /dtype "float8"; expected float32, int32, bool/,
  ],
  [
    'an input shape with a fraction',
    layerOf(['ReLU', { name: 'a' }], [0.5]),
    /Layer "x" has batch_input_shape \[null,0\.5\]; expected a list of sizes/,
  ],
  [
    'a setting of another kind',
    layerOf(['Dense', { name: 'd', units: 'two' }], [4], weights),
    /Layer "d" has units "two"; expected a whole number of 1 or more/,
  ],
  [
    'a flag of another kind',
    layerOf(['Dense', { name: 'd', units: 2, use_bias: 'no' }], [4], weights),
    /use_bias "no"; expected true or false/,
  ],
  ['Rescaling without a scale', layerOf(['Rescaling', { name: 's' }]), /has no scale; expected a number/],
  [
    'an axis beyond the rank',
    layerOf(['Softmax', { name: 's', axis: 2 }]),
    /axis 2; expected axes of an input of rank 2/,
  ],
  [
    'Dense on an unknown last size',
    layerOf(dense, [null], weights),
    /takes \[batch, x_axis_1\]; expected a known last size/,
  ],
  [
    'normalising an unknown size',
    layerOf(['BatchNormalization', { name: 'n' }], [null]),
    /normalises axis 1 of \[batch, x_axis_1\]/,
  ],
  [
    'reshaping to another number of elements',
    layerOf(['Reshape', { name: 'r', target_shape: [3] }]),
    /reshapes \[4\] to \[3\]; expected as many elements/,
  ],
  [
    'reshaping with an open size that does not divide',
    layerOf(['Reshape', { name: 'r', target_shape: [3, -1] }]),
    /reshapes \[4\] to \[3, \?\]/,
  ],
  ['two open sizes', layerOf(['Reshape', { name: 'r', target_shape: [-1, null] }]), /at most one of them open/],
  ['a weight that is missing', layerOf(dense, [4], [['d/kernel', [4, 2]]]), /No weight "d\/bias"; there is: d\/kernel/],
  [
    'a weight that could be either of two',
    layerOf(
      ['Dense', { name: 'd', units: 2, use_bias: false }],
      [4],
      [
        ['net/d/kernel', [4, 2]],
        ['d/kernel:0', [4, 2]],
      ],
    ),
    /"d\/kernel" is there more than once/,
  ],
  [
    'a weight of another shape',
    layerOf(
      dense,
      [4],
      [
        ['d/kernel', [5, 2]],
        ['d/bias', [2]],
      ],
    ),
    /Weight "d\/kernel" is float32 \[5, 2\]; expected float32 \[4, 2\]/,
  ],
  [
    'a weight of another type',
    {
      ...whole,
      weightSpecs: [
        { name: 'd/kernel', shape: [4, 2], dtype: 'complex64' },
        { name: 'd/bias', shape: [2], dtype: 'float32' },
      ],
      weightData: new Uint8Array(72),
    },
    /is complex64 \[4, 2\]; expected float32 \[4, 2\]/,
  ],
  [
    'a weight of an unknown type',
    { ...whole, weightSpecs: [{ name: 'd/kernel', shape: [4, 2], dtype: 'float64' }] },
    /dtype "float64"; expected float32, int32/,
  ],
  [
    'too few bytes',
    { ...whole, weightData: new Uint8Array(39) },
    /"d\/bias" \(float32 \[2\]\) ends at byte 40 of the weight data; it has 39 bytes/,
  ],
  ['too many bytes', { ...whole, weightData: new Uint8Array(41) }, /take 40 bytes of the weight data; it has 41/],
  ['no bytes', { modelTopology: whole.modelTopology, weightSpecs: whole.weightSpecs ?? [] }, /it has 0 bytes/],
  [
    'quantisation without a scale',
    { ...whole, weightSpecs: [{ name: 'd/kernel', shape: [8], dtype: 'float32', quantization: { dtype: 'uint8' } }] },
    /expected float16, or uint8 or uint16 with scale and min/,
  ],
  [
    'a weight whose shape is not sizes',
    { ...whole, weightSpecs: [{ name: 'd/kernel', shape: [-1], dtype: 'float32' }] },
    /shape of weight "d\/kernel" is \[-1\]; expected sizes/,
  ],
  [
    'a layer that is not there',
    functional([x, ['ReLU', { name: 'a' }, [[['b', 0, 0]]]]], [['a', 0, 0]]),
    /Layer "a" takes the output of layer "b"; there is no such layer/,
  ],
  [
    'a second output of a layer',
    functional([x, ['ReLU', { name: 'a' }, [[['x', 0, 1]]]]], [['a', 0, 0]]),
    /Output 1 of layer "x" \(InputLayer\) is used; it has only output 0/,
  ],
  [
    'a circle',
    functional([x, ['ReLU', { name: 'a' }, [[['b', 0, 0]]]], ['ReLU', { name: 'b' }, [[['a', 0, 0]]]]], [['a', 0, 0]]),
    /Layer "a" takes its own output/,
  ],
  [
    'two inputs where one is expected',
    functional(
      [
        x,
        [
          'ReLU',
          { name: 'a' },
          [
            [
              ['x', 0, 0],
              ['x', 0, 0],
            ],
          ],
        ],
      ],
      [['a', 0, 0]],
    ),
    /"a" \(ReLU\) takes 2 inputs; expected one/,
  ],
  [
    'a layer that is never called',
    functional([x, ['ReLU', { name: 'a' }, []]], [['a', 0, 0]]),
    /Call 0 of layer "a" is used; inbound_nodes has 0 calls/,
  ],
  [
    'an inbound node of another form',
    functional([x, ['ReLU', { name: 'a' }, [7]]], [['a', 0, 0]]),
    /inbound_nodes of layer "a" is 7; expected a list/,
  ],
  [
    'a reference of another form',
    functional([x, ['ReLU', { name: 'a' }, [[['x']]]]], [['a', 0, 0]]),
    /expected \[layer name, call number, output number\]/,
  ],
  [
    'names that collide',
    sequential(
      [4],
      [
        ['ReLU', { name: 'd/kernel' }],
        ['Dense', { name: 'd', units: 2, activation: 'relu' }],
      ],
      weights,
    ),
    /Two values would be called "d\/kernel"/,
  ],
];

for (const [what, artifacts, reason] of malformed) {
  test(`${what} is malformed-tfjs-model`, () => {
    assert.match(
      refusal('malformed-tfjs-model', () => convert(artifacts)),
      reason,
    );
  });
}

const files: [what: string, json: unknown, reason: RegExp][] = [
  ['a list', [], /^model\.json is \[\]; expected an object/],
  [
    'a graph model',
    { format: 'graph-model', modelTopology: {}, weightsManifest: [] },
    /model\.json is a graph model; expected a layers model/,
  ],
  ['no manifest', { modelTopology: {} }, /weightsManifest of model\.json is missing; expected a list/],
  [
    'a group without paths',
    { weightsManifest: [{ weights: [] }] },
    /paths of weightsManifest\[0\] of model\.json is missing/,
  ],
  [
    'a path that is a number',
    { weightsManifest: [{ paths: [1], weights: [] }] },
    /A path of weightsManifest\[0\] of model\.json is 1; expected text/,
  ],
  [
    'a weight without a name',
    { weightsManifest: [{ paths: [], weights: [{ shape: [], dtype: 'float32' }] }] },
    /The name of weight 0 in weightsManifest\[0\] of model\.json is missing/,
  ],
];

for (const [what, json, reason] of files) {
  test(`model.json with ${what} is malformed-tfjs-model`, () => {
    assert.match(
      refusal('malformed-tfjs-model', () => readModelJson(json, 'model.json')),
      reason,
    );
  });
}

test('a weight group whose files have too many bytes is refused by its files', () => {
  const group = { paths: ['a.bin', 'b.bin'], weights: [{ name: 'w', shape: [1], dtype: 'float32' }] };
  const message = refusal('malformed-tfjs-model', () => joinGroups({ groups: [group] }, [new Uint8Array(5)]));
  assert.equal(message, 'The weights take 4 bytes of a.bin, b.bin; it has 5.');
});

test('options that do not fit the model are invalid-conversion-option', () => {
  const refused = (options: ConvertOptions) => refusal('invalid-conversion-option', () => convert(whole, options));
  assert.match(refused({ opset: 9 }), /Operator set 9; expected a whole number from 13 to 23/);
  assert.match(refused({ inputShapes: { y: [1, 4] } }), /A shape is given for input "y"; the model has x/);
  assert.match(refused({ inputShapes: { x: [1, 5] } }), /given the shape \[1, 5\]; the file says \[\?, 4\]/);
  assert.match(refused({ inputShapes: { x: [1, 4, 1] } }), /whose open sizes alone can be set/);
});

test('a constant that settings alone make huge is refused before it is allocated', () => {
  const wide = sequential(
    [1, 1, 3],
    [
      ['ZeroPadding2D', { name: 'p', padding: 500_000_000 }],
      ['Permute', { name: 't', dims: [3, 1, 2] }],
      ['LayerNormalization', { name: 'n', scale: false, center: false }],
    ],
  );
  assert.match(
    refusal('malformed-tfjs-model', () => convert(wide)),
    /Layer "n" needs a constant of \[1000000001\]; expected 16777216 elements at most/,
  );
});

test('a topology in memory that is nested too deeply is refused', () => {
  let modelTopology: unknown = {};
  for (let depth = 0; depth < 100_000; depth++) modelTopology = { config: modelTopology };
  assert.match(
    refusal('malformed-tfjs-model', () => convert({ modelTopology })),
    /modelTopology is nested more than 200 levels deep/,
  );
});

test('settings that ask for constants larger than any memory are refused before they are made', () => {
  const huge = 1e9;
  const asking: [LayerJson, (number | null)[]][] = [
    [
      ['Resizing', { name: 'l', height: huge, width: 2, interpolation: 'nearest' }],
      [4, 4, 1],
    ],
    [['BatchNormalization', { name: 'l', scale: false }], [huge]],
    [['LayerNormalization', { name: 'l', scale: false, center: false }], [huge]],
    [['Normalization', { name: 'l', mean: 0, variance: 1 }], [huge]],
  ];
  for (const [layer, shape] of asking) {
    const message = refusal('malformed-tfjs-model', () => convert(layerOf(layer, shape)));
    assert.equal(message, 'Layer "l" needs a constant of [1000000000]; expected 16777216 elements at most.');
  }
});

test('models and wrappers that multiply what a few characters say are refused', () => {
  const relu = { class_name: 'Activation', config: { name: 'relu', activation: 'relu' } };
  const around = (count: number, start: object, wrap: (inner: object, name: string) => object) =>
    Array.from({ length: count }, (_, index) => `w${index}`).reduce(wrap, start);
  const steps = (inner: object, name: string) => ({ class_name: 'TimeDistributed', config: { name, layer: inner } });
  const chain = (inner: object, name: string) => ({ class_name: 'Sequential', config: { name, layers: [inner] } });
  const often = (inner: object, name: string) => ({
    class_name: 'Functional',
    config: {
      name,
      layers: [
        { class_name: 'InputLayer', name: 'x', config: { name: 'x', batch_input_shape: [null, 4] }, inbound_nodes: [] },
        {
          ...inner,
          name: 'in',
          inbound_nodes: [[['x', 0, 0, {}]], ...[...Array(9).keys()].map((call) => [['in', call, 0, {}]])],
        },
      ],
      input_layers: [['x', 0, 0]],
      output_layers: [['in', 9, 0]],
    },
  });
  const first = { ...relu, config: { ...relu.config, batch_input_shape: [null, 4] } };
  const flat = { class_name: 'Flatten', config: { name: 'flat' } };
  const rank = new Array<number>(33).fill(1);
  const deep = /lies in more than 10 models and wrappers; expected fewer\.$/;
  const wrapped = around(30, flat, steps) as { class_name: string; config: Record<string, unknown> };
  const cases: [LayersModelArtifacts, RegExp][] = [
    [layerOf([wrapped.class_name, wrapped.config], rank), deep],
    [{ modelTopology: around(30, first, chain) }, deep],
    [{ modelTopology: around(8, relu, often) }, /more than 100000 calls of layers, counted up to layer "in"/],
  ];
  for (const [artifacts, expected] of cases) {
    assert.match(
      refusal('malformed-tfjs-model', () => convert(artifacts)),
      expected,
    );
  }
});

test('weights of a layer that the model does not have are refused, those that its own layers do not take are left out', () => {
  const foreign = layerOf(dense, [4], [...weights, ['other/kernel', [2]], ['total', []]]);
  assert.match(
    refusal('malformed-tfjs-model', () => convert(foreign)),
    /^These weights match no layer of the model: other\/kernel, total; it has the layers x, d\. Take the weights that were saved/,
  );
  const extra = convert(layerOf(dense, [4], [...weights, ['net/d/scale', [2]]]));
  assert.deepEqual(extra.summary.warnings, ['No layer takes these weights, which are left out: net/d/scale.']);
});
