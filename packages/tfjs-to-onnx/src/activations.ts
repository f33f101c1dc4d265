import { type Attribute, float, int } from '@atelier/onnx';
import { unsupported } from './errors.ts';
import type { Scope } from './graph/scope.ts';
import type { Value } from './graph/value.ts';
import type { LayerCall } from './rule.ts';
import { isObject, snakeCase } from './settings.ts';
import { readLayer } from './topology/read-model.ts';

/** An activation: what the README's table says of it, and its nodes. */
interface Activation {
  onnx: string;
  apply(x: Value, scope: Scope, isKeras3: boolean): Value;
}

/** Layers that may stand where an activation does. */
const ACTIVATION_LAYERS = ['ELU', 'LeakyReLU', 'PReLU', 'ReLU', 'Softmax', 'ThresholdedReLU'];

/** Keras's default for what the shrinking activations take for 0. */
const SHRINK_THRESHOLD = 0.5;

/** The operator set that brought Gelu. */
const GELU_SINCE = 20;

const operator = (opType: string): Activation => ({ onnx: opType, apply: (x, scope) => scope.add(opType, [x]) });

/** Element-wise functions, and softmax along the last axis, by their name in `model.json`. */
export const ACTIVATIONS = {
  celu: operator('Celu'),
  elu: operator('Elu'),
  exponential: operator('Exp'),
  // arXiv 1606.08415: the form that onnxruntime fuses.
  gelu: {
    onnx: 'Div, Erf, Add, Mul: the exact form; Gelu from opset 20 on',
    apply: (x, scope) => {
      if (scope.builder.opset >= GELU_SINCE) return scope.add('Gelu', [x]);
      const scaled = scope.add('Div', [x, scope.float(Math.SQRT2, 'root_of_two')], {}, 'scaled');
      const erf = scope.add('Erf', [scaled], {}, 'erf');
      const twiceCdf = scope.add('Add', [erf, scope.float(1, 'one')], {}, 'twice_cdf');
      const twiceGelu = scope.add('Mul', [x, twiceCdf], {}, 'twice_gelu');
      return scope.add('Mul', [twiceGelu, scope.float(0.5, 'half')], {}, 'gelu');
    },
  },
  // The tanh approximation of the same paper.
  gelu_new: {
    onnx: 'Pow, Mul, Add, Tanh: the tanh form, which TensorFlow.js saves and cannot load; Gelu from opset 20 on',
    apply: (x, scope) => {
      if (scope.builder.opset >= GELU_SINCE) return scope.add('Gelu', [x], { approximate: 'tanh' });
      const cube = scope.add('Pow', [x, scope.float(3, 'three')], {}, 'cube');
      const cubic = scope.add('Mul', [cube, scope.float(0.044715, 'cubic_weight')], {}, 'cubic');
      const polynomial = scope.add('Add', [x, cubic], {}, 'polynomial');
      const scaled = scope.add(
        'Mul',
        [polynomial, scope.float(Math.sqrt(2 / Math.PI), 'root_of_two_over_pi')],
        {},
        'scaled',
      );
      const tanh = scope.add('Tanh', [scaled], {}, 'tanh');
      const twiceCdf = scope.add('Add', [tanh, scope.float(1, 'one')], {}, 'twice_cdf');
      const half = scope.add('Mul', [x, scope.float(0.5, 'half')], {}, 'half_input');
      return scope.add('Mul', [half, twiceCdf], {}, 'gelu');
    },
  },
  hard_shrink: { onnx: 'Shrink', apply: (x, scope) => shrunk(x, scope, 0) },
  // Keras 2 and TensorFlow.js: 0.2x + 0.5. Keras 3: relu6(x + 3) / 6. Both within 0 and 1.
  hard_sigmoid: {
    onnx: 'HardSigmoid, with slope 0.2, or 1/6 in files of Keras 3',
    apply: (x, scope, isKeras3) =>
      scope.add('HardSigmoid', [x], { alpha: float(hardSigmoidSlope(isKeras3)), beta: float(0.5) }),
  },
  hard_silu: gatedByHardSigmoid(),
  hard_swish: gatedByHardSigmoid(),
  hard_tanh: { onnx: 'Clip', apply: (x, scope) => clip(x, scope, -1, 1) },
  leaky_relu: {
    onnx: 'LeakyRelu with slope 0.2',
    apply: (x, scope) => scope.add('LeakyRelu', [x], { alpha: float(0.2) }),
  },
  linear: { onnx: 'nothing', apply: (x) => x },
  // log σ(x) is -softplus(-x).
  log_sigmoid: {
    onnx: 'Neg, Softplus, Neg',
    apply: (x, scope) => {
      const negative = scope.add('Neg', [x], {}, 'negative');
      return scope.add('Neg', [scope.add('Softplus', [negative], {}, 'softplus')], {}, 'log_sigmoid');
    },
  },
  log_softmax: {
    onnx: 'LogSoftmax along the last axis',
    apply: (x, scope) => scope.add('LogSoftmax', [x], { axis: int(-1) }),
  },
  // x·tanh(softplus(x)), arXiv 1908.08681. The operator Mish came with opset 18.
  mish: {
    onnx: 'Softplus, Tanh, Mul',
    apply: (x, scope) => {
      const softplus = scope.add('Softplus', [x], {}, 'softplus');
      return scope.add('Mul', [x, scope.add('Tanh', [softplus], {}, 'gate')], {}, 'mish');
    },
  },
  relu: operator('Relu'),
  relu6: { onnx: 'Clip', apply: (x, scope) => clip(x, scope, 0, 6) },
  selu: operator('Selu'),
  sigmoid: operator('Sigmoid'),
  silu: gatedBySigmoid(),
  soft_shrink: { onnx: 'Shrink', apply: (x, scope) => shrunk(x, scope, SHRINK_THRESHOLD) },
  softmax: {
    onnx: 'Softmax along the last axis',
    apply: (x, scope) => scope.add('Softmax', [x], { axis: int(-1) }),
  },
  softplus: operator('Softplus'),
  softsign: operator('Softsign'),
  // (x + √(x² + 4)) / 2, arXiv 2112.11687.
  squareplus: {
    onnx: 'Mul, Add, Sqrt, Add, Mul',
    apply: (x, scope) => {
      const square = scope.add('Mul', [x, x], {}, 'square');
      const raised = scope.add('Add', [square, scope.float(4, 'four')], {}, 'raised');
      const twice = scope.add('Add', [x, scope.add('Sqrt', [raised], {}, 'root')], {}, 'twice');
      return scope.add('Mul', [twice, scope.float(0.5, 'half')], {}, 'squareplus');
    },
  },
  swish: gatedBySigmoid(),
  tanh: operator('Tanh'),
  tanh_shrink: {
    onnx: 'Tanh, Sub',
    apply: (x, scope) => scope.add('Sub', [x, scope.add('Tanh', [x], {}, 'tanh')], {}, 'shrunk'),
  },
} as const satisfies Record<string, Activation>;

export type ActivationName = keyof typeof ACTIVATIONS;

export const SUPPORTED_ACTIVATIONS = Object.keys(ACTIVATIONS) as readonly ActivationName[];

/** Name of an activation among the layer's settings; absent means linear. Old files write `hardSigmoid` for `hard_sigmoid`. */
export function activationOf(
  { name, className, settings }: Pick<LayerCall, 'name' | 'className' | 'settings'>,
  key = 'activation',
  fallback: ActivationName = 'linear',
): ActivationName {
  const written = nameOf(settings.get(key) ?? fallback);
  const plain = snakeCase(written);
  if (Object.hasOwn(ACTIVATIONS, plain)) return plain as ActivationName;
  throw unsupported(
    `Layer "${name}" (${className}) has ${key} "${written}"; supported: ${SUPPORTED_ACTIVATIONS.join(', ')}. ` +
      'Write the function with supported layers, or add it to the table of activations.',
  );
}

/** A function may be written as its name, as an object with a class name, or as Keras 3 writes functions. */
function nameOf(setting: unknown): string {
  if (typeof setting === 'string') return setting;
  if (!isObject(setting)) return JSON.stringify(setting);
  const { class_name: className, config } = setting;
  if (className === 'function' && typeof config === 'string') return config;
  if (className === 'Activation' && isObject(config)) return nameOf(config['activation']);
  return typeof className === 'string' ? className : JSON.stringify(setting);
}

/** Applies an activation to `x`. */
export function activate(name: ActivationName, x: Value, scope: Scope, isKeras3: boolean): Value {
  const activation: Activation = ACTIVATIONS[name];
  return activation.apply(x, scope, isKeras3);
}

/**
 * Applies the layer's own activation to what it computed; Keras calls that its preactivation. Keras also takes a layer of
 * activation in the place of a function.
 */
export function activated(call: LayerCall, preactivation: Value): Value {
  const written = call.settings.get('activation');
  if (isObject(written) && ACTIVATION_LAYERS.includes(String(written['class_name']))) {
    const entry = readLayer(written, `The activation of layer "${call.name}"`);
    const paths = [...call.paths.map((path) => `${path}/${entry.name}`), entry.name];
    const [result] = call.apply(
      call.inner(entry, { inputs: [preactivation], scope: call.scope.within(entry.name), paths }),
    );
    if (result) return result;
  }
  return activate(activationOf(call), preactivation, call.scope, call.dialect.isKeras3);
}

export function hardSigmoidSlope(isKeras3: boolean): number {
  return isKeras3 ? 1 / 6 : 0.2;
}

/** `x` limited to `minimum` and above, and to `maximum` and below. */
export function clip(x: Value, scope: Scope, minimum: number, maximum: number): Value {
  return scope.add('Clip', [x, scope.float(minimum, 'minimum'), scope.float(maximum, 'maximum')]);
}

/** x·gate(x), where the gate is an operator. */
function gated(opType: string, attributes: Record<string, Attribute> = {}): Activation {
  return {
    onnx: `${opType}, Mul`,
    apply: (x, scope) => scope.add('Mul', [x, scope.add(opType, [x], attributes, 'gate')], {}, 'gated'),
  };
}

/** x·sigmoid(x), arXiv 1710.05941. */
function gatedBySigmoid(): Activation {
  return gated('Sigmoid');
}

/** x·hardSigmoid(x) with a slope of 1/6, which is what Keras means by it in all versions that have it. */
function gatedByHardSigmoid(): Activation {
  return gated('HardSigmoid', { alpha: float(1 / 6), beta: float(0.5) });
}

/** 0 between minus and plus the threshold; the rest moves towards 0 by `bias`. */
function shrunk(x: Value, scope: Scope, bias: number): Value {
  return scope.add('Shrink', [x], { bias: float(bias), lambd: float(SHRINK_THRESHOLD) });
}
