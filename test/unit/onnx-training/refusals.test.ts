import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type AttributeSource,
  type DataType,
  int,
  ints,
  node,
  type OnnxNode,
  type OnnxTensor,
  tensor,
  value,
} from '@atelier/onnx';
import { differentiate } from '@atelier/onnx-training';

type Shapes = Readonly<Record<string, readonly number[] | readonly [DataType, ...number[]]>>;

/** The first of `nodes` is what is tried; the loss is the sum of `output`. All values are inputs, of float32 without a type. */
function attempt(
  nodes: readonly OnnxNode[],
  shapes: Shapes,
  { output = nodes.at(-1)?.outputs[0] ?? '', by = ['x'], constants = [] as readonly OnnxTensor[] } = {},
) {
  return () =>
    differentiate(
      {
        name: 'forward',
        nodes: [...nodes, node('ReduceSum', [output], 'loss', { keepdims: int(0) })],
        inputs: Object.entries(shapes).map(([name, [first, ...rest]]) =>
          typeof first === 'string'
            ? value(name, first, rest as number[])
            : value(name, 'float32', first === undefined ? [] : [first, ...(rest as number[])]),
        ),
        outputs: [],
        initializers: constants,
        values: [],
      },
      { loss: 'loss', withRespectTo: by },
    );
}

const int64s = (name: string, numbers: readonly number[]) => tensor(name, 'int64', [numbers.length], numbers);
const pool = (opType: string, attributes: Record<string, AttributeSource>) =>
  attempt([node(opType, ['x'], 'y', { kernel_shape: ints([2]), ...attributes })], { x: [1, 1, 5] });
const batchNormalization = node(
  'BatchNormalization',
  ['x', 'scale', 'bias', 'mean', 'variance'],
  ['y', 'new_mean', 'new_variance'],
  { training_mode: int(1) },
);
const channels: Shapes = { x: [4, 3], scale: [3], bias: [3], mean: [3], variance: [3] };

/** What each says after the name of the node. */
const NOT_DIFFERENTIABLE: Record<string, [() => unknown, RegExp]> = {
  'the order of columns in the places of MaxPool': [
    pool('MaxPool', { storage_order: int(1) }),
    /^MaxPool "y": its storage_order is 1; supported: 0\.$/,
  ],
  'a mean over a window that reaches beyond the padding': [
    pool('AveragePool', { strides: ints([2]), ceil_mode: int(1) }),
    /^AveragePool "y": its last window reaches beyond the padding; supported: /,
  ],
  'a window that begins behind the input': [
    pool('MaxPool', { strides: ints([3]), pads: ints([0, 1]), ceil_mode: int(1) }),
    /^MaxPool "y": by ceil_mode its last window begins behind the input; supported: /,
  ],
  'Gather along an axis that is not the first': [
    attempt([node('Gather', ['x', 'at'], 'y', { axis: int(-1) })], { x: [2, 3], at: ['int64', 2] }),
    /^Gather "y": it gathers along axis -1; supported: axis 0\.$/,
  ],
  'padding by reflection': [
    attempt(
      [node('Pad', ['x', 'pads'], 'y', { mode: 'reflect' })],
      { x: [3] },
      { constants: [int64s('pads', [1, 1])] },
    ),
    /^Pad "y": its mode is reflect; supported: constant\.$/,
  ],
  'a bound of Clip': [
    attempt([node('Clip', ['x', 'low'], 'y')], { x: [3], low: [] }, { by: ['low'] }),
    /^Clip "y": the loss depends on its input 1 \("low"\), to which no gradient flows\.$/,
  ],
  'the running statistics that batch normalisation gives': [
    attempt([batchNormalization], channels, { output: 'new_mean' }),
    /^BatchNormalization "y": the loss depends on its output 1 \("new_mean"\), through which no gradient flows\.$/,
  ],
  'the running statistics of batch normalisation that is not trained': [
    attempt([node('BatchNormalization', batchNormalization.inputs, 'y')], channels, { by: ['variance'] }),
    /^BatchNormalization "y": the loss depends on its input 4 \("variance"\), to which no gradient flows\.$/,
  ],
  'the mean that LayerNormalization gives': [
    attempt([node('LayerNormalization', ['x', 'scale'], ['y', 'mean'])], { x: [2, 3], scale: [3] }, { output: 'mean' }),
    /^LayerNormalization "y": the loss depends on its output 1 \("mean"\), through which no gradient flows\.$/,
  ],
  'the weights of classes': [
    attempt(
      [node('SoftmaxCrossEntropyLoss', ['x', 'labels', 'weights'], 'y')],
      { x: [2, 3], labels: ['int64', 2], weights: [3] },
      { by: ['weights'] },
    ),
    /^SoftmaxCrossEntropyLoss "y": the loss depends on its input 2 \("weights"\), to which no gradient flows\.$/,
  ],
  'a dropout rate that is computed': [
    attempt([node('Dropout', ['x', 'rate'], 'y')], { x: [3], rate: [] }),
    /^Input 1 \("rate"\) of Dropout "y" is computed; supported: a constant in the graph, because shapes must be known\.$/,
  ],
  'a shape that is computed': [
    attempt([node('Reshape', ['x', 'shape'], 'y')], { x: [4], shape: ['int64', 2] }),
    /^Input 1 \("shape"\) of Reshape "y" is computed; supported: a constant/,
  ],
  'an operator whose derivative is 0 wherever it has one': [
    attempt([node('Sign', ['x'], 'y')], { x: [3] }),
    /^No gradient flows through Sign "y", and the loss depends on it; supported: Abs, .*, Where\.$/,
  ],
  'an operator without a rule beside the way of the gradient': [
    attempt([node('Sin', ['t'], 'wave'), node('Mul', ['x', 'wave'], 'y')], { x: [3], t: [3] }),
    /^There is no rule for Sin \(node Sin "wave"\); supported: Abs, .*; where no gradient is to flow, also And, .*OneHot/,
  ],
  'a parameter of whole numbers': [
    attempt([node('Neg', ['x'], 'y')], { x: ['int64', 2] }),
    /^"x" is of int64; supported: float32 and float64\.$/,
  ],
  'a parameter of short floats': [
    attempt([node('Cast', ['x'], 'y', { to: int(1) })], { x: ['float16', 2] }),
    /^"x" is of float16; supported: float32 and float64\.$/,
  ],
  'a way through short floats': [
    attempt(
      [node('Cast', ['x'], 'h', { to: int(10) }), node('Exp', ['h'], 'e'), node('Cast', ['e'], 'y', { to: int(1) })],
      { x: [2] },
    ),
    /^Exp "e": its output "e" is of float16; supported: float32 and float64\.$/,
  ],
  'a shape in another file': [
    attempt(
      [node('Reshape', ['x', 'shape'], 'y')],
      { x: [4] },
      { constants: [{ ...int64s('shape', [2, 2]), external: { location: 'weights.bin' } }] },
    ),
    /^Input 1 \("shape"\) of Reshape "y" is in another file; supported: a constant in the graph/,
  ],
};

const MALFORMED: Record<string, [() => unknown, RegExp]> = {
  'a convolution of other channels': [
    attempt([node('Conv', ['x', 'kernel'], 'y')], { x: [1, 3, 5], kernel: [2, 2, 3] }),
    /^Conv "y": it convolves \[1, 3, 5\] with \[2, 2, 3\] in 1 groups\.$/,
  ],
  'a kernel that is larger than its input': [
    attempt([node('Conv', ['x', 'kernel'], 'y')], { x: [1, 1, 2], kernel: [1, 1, 3] }),
    /^Conv "y": its kernel \[3\] is larger than its padded input \[2\]\.$/,
  ],
  'strides of another rank': [
    pool('MaxPool', { strides: ints([1, 1]) }),
    /^MaxPool "y": strides is \[1, 1\]; expected 1 number of 1 or more\.$/,
  ],
  'a stride of 0': [
    pool('MaxPool', { strides: ints([0]) }),
    /^MaxPool "y": strides is \[0\]; expected 1 number of 1 or more\.$/,
  ],
  'a kernel of 0': [
    pool('AveragePool', { kernel_shape: ints([0]) }),
    /^AveragePool "y": its kernel is \[0\] over a value of shape \[1, 1, 5\]\.$/,
  ],
  'an order that names an axis twice': [
    attempt([node('Transpose', ['x'], 'y', { perm: ints([0, 0]) })], { x: [2, 3] }),
    /^Transpose "y": its perm is \[0, 0\]; expected each of the axes \[0, 1\] once\.$/,
  ],
  'an order that lacks an axis': [
    attempt([node('Transpose', ['x'], 'y', { perm: ints([0]) })], { x: [2, 3] }),
    /^Transpose "y": its perm is \[0\]; expected each of the axes \[0, 1\] once\.$/,
  ],
  'a reduction that names an axis twice': [
    attempt([node('ReduceMean', ['x'], 'y', { axes: ints([0, -2]) })], { x: [2, 3] }),
    /^ReduceMean "y" names an axis twice: \[0, -2\] of a value of rank 2\.$/,
  ],
  'a depth of OneHot that is no number': [
    attempt(
      [node('OneHot', ['at', 'depth', 'ends'], 'h'), node('Mul', ['x', 'h'], 'y')],
      { x: [2, 3], at: ['int64', 2], ends: [2] },
      { constants: [tensor('depth', 'bool', [], [1])] },
    ),
    /^Input 1 \("depth"\) of OneHot "h" is of bool; expected float32 or float64 or int64 or int32\.$/,
  ],
  'axes that are no whole numbers': [
    attempt([node('Unsqueeze', ['x', 'axes'], 'y')], { x: [5] }, { constants: [tensor('axes', 'float32', [1], [0])] }),
    /^Input 1 \("axes"\) of Unsqueeze "y" is of float32; expected int64 or int32\.$/,
  ],
  'a pooling without a kernel': [
    attempt([node('MaxPool', ['x'], 'y')], { x: [1, 1, 3] }),
    /^MaxPool "y": it has no kernel_shape\.$/,
  ],
  'an unknown automatic padding': [
    pool('MaxPool', { auto_pad: 'SAME' }),
    /^MaxPool "y": auto_pad is "SAME"; expected NOTSET, SAME_UPPER, SAME_LOWER or VALID\.$/,
  ],
  'matrices that do not fit': [
    attempt([node('MatMul', ['x', 'w'], 'y')], { x: [2, 3], w: [4, 5] }),
    /^MatMul "y": it multiplies \[2, 3\] by \[4, 5\]\.$/,
  ],
  'a bias that does not fit': [
    attempt([node('Gemm', ['x', 'w', 'b'], 'y')], { x: [2, 3], w: [3, 5], b: [4] }),
    /^Gemm "y": it adds \[4\] to a product of shape \[2, 5\]\.$/,
  ],
  'operands that do not fit': [
    attempt([node('Add', ['x', 'w'], 'y')], { x: [2, 3], w: [4] }),
    /^Add "y": its inputs have shapes \[2, 3\] and \[4\], which do not fit each other\.$/,
  ],
  'parts that are not the whole': [
    attempt(
      [node('Split', ['x', 'sizes'], ['y', 'z'])],
      { x: [5] },
      { output: 'y', constants: [int64s('sizes', [2, 2])] },
    ),
    /^Split "y": it splits \[5\] into \[2, 2\] along axis 0\.$/,
  ],
  'another number of parts than of outputs': [
    attempt([node('Split', ['x'], ['y', 'z'], { num_outputs: int(3) })], { x: [6] }, { output: 'y' }),
    /^Split "y": it splits into \[2, 2, 2\] and gives 2 outputs\.$/,
  ],
  'an axis that is not 1 and shall go': [
    attempt([node('Squeeze', ['x', 'axes'], 'y')], { x: [5, 1] }, { constants: [int64s('axes', [0])] }),
    /^Squeeze "y": it removes axis 0 of \[5, 1\], which is not 1\.$/,
  ],
  'pads of another rank': [
    attempt([node('Pad', ['x', 'pads'], 'y')], { x: [5, 1] }, { constants: [int64s('pads', [1, 1])] }),
    /^Pad "y": it has 2 pads for 2 axes; expected 4\.$/,
  ],
  'an axis that is not there': [
    attempt([node('Softmax', ['x'], 'y', { axis: int(2) })], { x: [5, 1] }),
    /^Softmax "y" names axis 2 of a value of rank 2\.$/,
  ],
  'an attribute of another type': [
    attempt([node('Softmax', ['x'], 'y', { axis: 'last' })], { x: [5, 1] }),
    /^Attribute axis of Softmax "y" is of type string; expected int\.$/,
  ],
  'a kind of Gelu that there is not': [
    attempt([node('Gelu', ['x'], 'y', { approximate: 'sigmoid' })], { x: [5] }),
    /^Gelu "y": approximate is "sigmoid"; expected none or tanh\.$/,
  ],
  'a value that nothing gives': [
    attempt([node('Add', ['x', 'nothing'], 'y')], { x: [5] }),
    /^Value "nothing" is used, and nothing before gives it\.$/,
  ],
  'a constant that is given twice': [
    attempt(
      [node('Add', ['x', 'c'], 'y')],
      { x: [2] },
      { constants: [tensor('c', 'float32', [], [1]), tensor('c', 'float32', [], [2])] },
    ),
    /^Value "c" is given twice\.$/,
  ],
  'an input of a negative size': [
    attempt([node('Neg', ['x'], 'y')], { x: [-1] }),
    /^"x" has shape \[-1\]; expected whole numbers of 0 or more\.$/,
  ],
  'a parameter that is not there': [
    attempt([node('Neg', ['x'], 'y')], { x: [5] }, { by: ['w'] }),
    /^There is no input or initializer "w" to differentiate by\.$/,
  ],
};

for (const [code, refusals] of [
  ['not-differentiable', NOT_DIFFERENTIABLE],
  ['malformed-onnx', MALFORMED],
] as const) {
  describe(`differentiation refuses as ${code}`, () => {
    for (const [title, [tried, message]] of Object.entries(refusals)) {
      test(title, () => assert.throws(tried, { code, message }));
    }
  });
}

describe('differentiation', () => {
  const of = (type: DataType, sizes: Record<string, number> = {}) => ({
    forward: {
      name: 'forward',
      nodes: [node('ReduceSum', ['x'], 'loss', { keepdims: int(0) })],
      inputs: [value('x', type, ['batch']), value('w', 'float32', [2])],
      outputs: [],
      initializers: [],
      values: [],
    },
    options: { loss: 'loss', withRespectTo: ['w'], sizes },
  });

  test('takes a depth of OneHot that is no integer by its whole part', () => {
    const nodes = [node('OneHot', ['at', 'depth', 'ends'], 'h'), node('Mul', ['x', 'h'], 'y')];
    const constants = [tensor('depth', 'float32', [], [3])];
    attempt(nodes, { x: [2, 3], at: ['int64', 2], ends: [2] }, { constants })();
  });

  test('refuses a loss of whole numbers', () => {
    const { forward, options } = of('int64', { batch: 3 });
    assert.throws(() => differentiate(forward, options), {
      code: 'malformed-onnx',
      message: 'The loss "loss" is of int64; expected float32 or float64.',
    });
  });

  for (const size of [-3, 0, 2.5, NaN]) {
    test(`refuses a size of ${size}`, () => {
      const { forward, options } = of('float32', { batch: size });
      assert.throws(() => differentiate(forward, options), {
        name: 'RangeError',
        message: `sizes.batch is ${size}; expected a whole number of 1 or more.`,
      });
    });
  }
});
