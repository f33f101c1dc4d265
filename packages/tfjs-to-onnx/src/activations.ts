import { float, float32Scalar, int, node, type OnnxNode, type OnnxTensor } from '@atelier/onnx';
import { unsupported } from './errors.ts';
import { isObject } from './settings.ts';
import type { Layer, Step, Value } from './step.ts';

type Formula = (input: string, output: string, isKeras3: boolean) => { nodes: OnnxNode[]; initializers: OnnxTensor[] };

const operator =
  (opType: string, attributes: Parameters<typeof node>[3] = {}): Formula =>
  (input, output) => ({ nodes: [node(opType, [input], output, attributes)], initializers: [] });

/** Element-wise functions, and softmax along the last axis, by their name in `model.json`. */
const ACTIVATIONS = {
  elu: operator('Elu'),
  exponential: operator('Exp'),
  // x·Φ(x), arXiv 1606.08415: the form that onnxruntime fuses. The operator Gelu came with opset 20.
  gelu: (input, output) => ({
    nodes: [
      node('Div', [input, `${output}/root_of_two`], `${output}/scaled`),
      node('Erf', [`${output}/scaled`], `${output}/erf`),
      node('Add', [`${output}/erf`, `${output}/one`], `${output}/twice_cdf`),
      node('Mul', [input, `${output}/twice_cdf`], `${output}/twice_gelu`),
      node('Mul', [`${output}/twice_gelu`, `${output}/half`], output),
    ],
    initializers: [
      float32Scalar(`${output}/root_of_two`, Math.SQRT2),
      float32Scalar(`${output}/one`, 1),
      float32Scalar(`${output}/half`, 0.5),
    ],
  }),
  // The tanh approximation of the same paper.
  gelu_new: (input, output) => ({
    nodes: [
      node('Pow', [input, `${output}/three`], `${output}/cube`),
      node('Mul', [`${output}/cube`, `${output}/cubic_weight`], `${output}/cubic`),
      node('Add', [input, `${output}/cubic`], `${output}/polynomial`),
      node('Mul', [`${output}/polynomial`, `${output}/root_of_two_over_pi`], `${output}/scaled`),
      node('Tanh', [`${output}/scaled`], `${output}/tanh`),
      node('Add', [`${output}/tanh`, `${output}/one`], `${output}/twice_cdf`),
      node('Mul', [input, `${output}/half`], `${output}/half_input`),
      node('Mul', [`${output}/half_input`, `${output}/twice_cdf`], output),
    ],
    initializers: [
      float32Scalar(`${output}/three`, 3),
      float32Scalar(`${output}/cubic_weight`, 0.044715),
      float32Scalar(`${output}/root_of_two_over_pi`, Math.sqrt(2 / Math.PI)),
      float32Scalar(`${output}/one`, 1),
      float32Scalar(`${output}/half`, 0.5),
    ],
  }),
  // Keras 2 and TensorFlow.js: 0.2x + 0.5. Keras 3: relu6(x + 3) / 6. Both within 0 and 1.
  hard_sigmoid: (input, output, isKeras3) =>
    operator('HardSigmoid', { alpha: float(isKeras3 ? 1 / 6 : 0.2), beta: float(0.5) })(input, output, isKeras3),
  linear: () => ({ nodes: [], initializers: [] }),
  log_softmax: operator('LogSoftmax', { axis: int(-1) }),
  // x·tanh(softplus(x)), arXiv 1908.08681. The operator Mish came with opset 18.
  mish: (input, output) => ({
    nodes: [
      node('Softplus', [input], `${output}/softplus`),
      node('Tanh', [`${output}/softplus`], `${output}/gate`),
      node('Mul', [input, `${output}/gate`], output),
    ],
    initializers: [],
  }),
  relu: operator('Relu'),
  relu6: (input, output) => clip(input, output, 0, 6),
  selu: operator('Selu'),
  sigmoid: operator('Sigmoid'),
  silu: gatedBySigmoid,
  softmax: operator('Softmax', { axis: int(-1) }),
  softplus: operator('Softplus'),
  softsign: operator('Softsign'),
  swish: gatedBySigmoid,
  tanh: operator('Tanh'),
} as const satisfies Record<string, Formula>;

export type ActivationName = keyof typeof ACTIVATIONS;

export const SUPPORTED_ACTIVATIONS = Object.keys(ACTIVATIONS) as readonly ActivationName[];

/** Name of the layer's `activation` setting; absent means linear. Old files write `hardSigmoid` for `hard_sigmoid`. */
export function activationOf({ name, className, settings }: Layer): ActivationName {
  const setting = settings.get('activation') ?? 'linear';
  const found = isObject(setting) ? setting['class_name'] : setting;
  const written = typeof found === 'string' ? found : JSON.stringify(found);
  const key = written.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
  if (Object.hasOwn(ACTIVATIONS, key)) return key as ActivationName;
  throw unsupported(
    `Layer "${name}" (${className}) has activation "${written}"; supported: ${SUPPORTED_ACTIVATIONS.join(', ')}. ` +
      'Write the function with supported layers, or add it to the table of activations.',
  );
}

/** Applies an activation to `input` and calls the result `output`. */
export function activate(activation: ActivationName, input: Value, output: string, isKeras3: boolean): Step {
  if (activation === 'linear') return { nodes: [], initializers: [], output: input };
  const formula: Formula = ACTIVATIONS[activation];
  return { ...formula(input.name, output, isKeras3), output: { ...input, name: output } };
}

/** The nodes that limit `input` to `minimum` and above, and to `maximum` and below. */
export function clip(input: string, output: string, minimum: number, maximum: number): ReturnType<Formula> {
  return {
    nodes: [node('Clip', [input, `${output}/minimum`, `${output}/maximum`], output)],
    initializers: [float32Scalar(`${output}/minimum`, minimum), float32Scalar(`${output}/maximum`, maximum)],
  };
}

/** x·sigmoid(x), arXiv 1710.05941. */
function gatedBySigmoid(input: string, output: string): ReturnType<Formula> {
  return {
    nodes: [node('Sigmoid', [input], `${output}/gate`), node('Mul', [input, `${output}/gate`], output)],
    initializers: [],
  };
}
