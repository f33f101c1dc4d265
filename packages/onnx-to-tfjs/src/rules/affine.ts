import { alongLastAxis, type NumberArray, transposed, withRows } from '../arrays.ts';
import type { Constant } from '../constants.ts';
import { flattenedOrder, identityLayout, type Value } from '../layouts.ts';
import type { LayerWeight } from '../network.ts';
import type { NodeView, Rule } from '../node-view.ts';

/** y = alpha·A·B + beta·C. B and C are weights; A transposed would have the batch on axis 1. */
export const gemm: Rule = (node) => {
  if (node.int('transA', 0) !== 0) {
    throw node.refuse('transA exchanges the batch with the features; supported: 0. Transpose the weight instead.');
  }
  const weight = node.weight(1);
  const added = node.constant(2);
  const [alpha, beta] = [node.float('alpha', 1), node.float('beta', 1)];
  const kernel = scaled(matrix(node, weight, node.int('transB', 0) !== 0), alpha);
  const bias = added && beta !== 0 ? scaled(biasOf(node, added, kernel.shape[1] ?? 0), beta) : undefined;
  return dense(node, node.value(0), { kernel, bias, weight, added });
};

/** The product of the last axis with a matrix; a constant that is added to it becomes the layer's bias. */
export const matMul: Rule = (node) => {
  const input = node.value(0);
  if (!node.isConstant(1)) {
    throw node.refuse('it multiplies two tensors that are both computed; supported: a constant on the right.');
  }
  const weight = node.weight(1);
  return dense(node, input, { kernel: matrix(node, weight, false), weight });
};

interface Affine {
  kernel: NumberArray;
  bias?: NumberArray | undefined;
  /** The constants that these were made of. */
  weight: Constant;
  added?: Constant | undefined;
}

function dense(node: NodeView, input: Value, { kernel, bias, weight, added }: Affine): Value {
  const rank = input.shape.length;
  if (rank < 2) throw node.refuse(`its input has rank ${rank}; supported: 2 and more, the first axis being the batch.`);
  const last = rank - 1;
  const isReady = input.layout.at(-1) === last && (input.flattened !== undefined || input.layout.length === rank);
  const ready = isReady ? input : node.arranged(input, identityLayout(rank));
  const [rows = 0, units = 0] = kernel.shape;
  const features = ready.shape[last];
  if (typeof features === 'number' && features !== rows) {
    throw node.contradicts(`its kernel takes ${rows} features and its input has ${features}`);
  }
  const order = flattenedOrder(ready);
  const weights: Record<string, LayerWeight> = {
    kernel: { ...(order ? withRows(kernel, order) : kernel), origin: weight.origin },
    ...(bias && { bias: { ...bias, ...(added && { origin: added.origin }) } }),
  };
  const source = node.add(
    {
      className: 'Dense',
      name: node.name(weight, added),
      config: { units, activation: 'linear', use_bias: bias !== undefined },
      weights,
      sharedBy: node.sharingKey([weight, added], order),
    },
    [ready.source],
  );
  return {
    source,
    layout: ready.layout,
    shape: [...ready.shape.slice(0, -1), units],
    isNonNegative: false,
  };
}

function matrix(node: NodeView, { shape, values }: Constant, isTransposed: boolean): NumberArray {
  if (shape.length !== 2) {
    throw node.refuse(`its weight has shape [${shape.join(', ')}]; supported: a matrix.`);
  }
  return isTransposed ? transposed({ shape, values }, [1, 0]) : { shape, values };
}

function biasOf(node: NodeView, { shape, values }: Constant, units: number): NumberArray {
  const isVector = values.length === units && (shape.at(-1) === units || units === 1);
  if (isVector) return { shape: [units], values };
  if (values.length === 1) return { shape: [units], values: new Float32Array(units).fill(values[0] ?? 0) };
  throw node.refuse(
    `it adds a tensor of shape [${shape.join(', ')}]; supported: one number for each of ${units} units.`,
  );
}

function scaled(array: NumberArray, factor: number): NumberArray {
  return factor === 1 ? array : alongLastAxis(array, Float32Array.of(factor), (element, by) => element * by);
}

/** Layers whose output is a sum of products, plus a number for each of their last axis. */
const LINEAR = { Dense: 'kernel', Conv1D: 'kernel', Conv2D: 'kernel', DepthwiseConv2D: 'depthwise_kernel' } as const;

/**
 * Takes what is added to the output of a layer, or multiplied with it, into that layer's weights: a number for each of its
 * last axis. False where the layer is none that could, has an activation, or gives its output elsewhere too.
 */
export function absorb(
  node: NodeView,
  input: Value,
  operation: 'add' | 'multiply',
  { values, origin }: Constant,
): boolean {
  const { layer } = input.source;
  const part = Object.hasOwn(LINEAR, layer.className) ? LINEAR[layer.className as keyof typeof LINEAR] : undefined;
  const kernel = part && layer.weights[part];
  if (!kernel || !node.isOnlyUse(input) || layer.config['activation'] !== 'linear') return false;
  node.network.keepApart(layer);
  const { bias } = layer.weights;
  if (operation === 'add') {
    const start = bias ?? { shape: [values.length], values: new Float32Array(values.length), origin };
    layer.weights['bias'] = { ...start, ...alongLastAxis(start, values, (element, other) => element + other) };
    layer.config['use_bias'] = true;
    return true;
  }
  const times = (weight: LayerWeight) => ({
    ...weight,
    ...alongLastAxis(weight, values, (element, other) => element * other),
  });
  // A depthwise kernel's last two axes, channels and multiplier, are the output's channels in their order.
  layer.weights[part] = times(kernel);
  if (bias) layer.weights['bias'] = times(bias);
  return true;
}
