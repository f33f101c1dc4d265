import { flattenedOrder, type Value } from '../layouts.ts';
import type { Constant } from '../constants.ts';
import { withRows } from '../arrays.ts';
import type { NodeView, Rule } from '../node-view.ts';
import { absorb } from './affine.ts';
import { asImage } from './images.ts';
import { merge } from './merging.ts';

/** A sum with a constant is a bias or an offset; one of two tensors is an Add. */
export const add: Rule = (node) => withConstant(node, shifted) ?? merge(node, 'Add');

export const multiply: Rule = (node) => withConstant(node, scaled) ?? merge(node, 'Multiply');

/** a − b; where both are computed, b is turned to its negative first. */
export const subtract: Rule = (node) => {
  if (node.isConstant(1))
    return shifted(
      node,
      node.value(0),
      mapped(node.weight(1), (value) => -value),
    );
  if (node.isConstant(0)) return shifted(node, rescaled(node, node.value(1), -1, 0), node.weight(0));
  return merge(node, 'Add', [node.value(0), rescaled(node, node.value(1), -1, 0)]);
};

/** A quotient by a constant; by a tensor that is computed there is none. */
export const divide: Rule = (node) => {
  if (node.isConstant(1))
    return scaled(
      node,
      node.value(0),
      mapped(node.weight(1), (value) => 1 / value),
    );
  throw node.refuse('it divides by a tensor that is computed; supported: by a constant.');
};

export const negate: Rule = (node) => rescaled(node, node.value(0), -1, 0);

/** (x − zero point)·scale of whole numbers, such as pixels. */
export const dequantize: Rule = (node) => {
  const [scales, zeros] = [node.weight(1).values, node.constant(2)?.values ?? Float32Array.of(0)];
  const [scale = 1, zero = 0] = [scales[0], zeros[0]];
  if (scales.length === 1 && zeros.length === 1) return rescaled(node, node.value(0), scale, -zero * scale);
  throw node.refuse(`it has ${scales.length} scales; supported: one.`);
};

function withConstant(node: NodeView, compute: (node: NodeView, input: Value, constant: Constant) => Value) {
  if (node.isConstant(1)) return compute(node, node.value(0), node.weight(1));
  return node.isConstant(0) ? compute(node, node.value(1), node.weight(0)) : undefined;
}

function shifted(node: NodeView, input: Value, constant: Constant): Value {
  return combined(node, input, 'add', constant);
}

function scaled(node: NodeView, input: Value, constant: Constant): Value {
  return combined(node, input, 'multiply', constant);
}

/**
 * One number is a Rescaling. A number for each channel goes into the layer that gave the input, where that is a product; else
 * it is a depthwise convolution of one pixel, which trains too.
 */
function combined(node: NodeView, input: Value, operation: 'add' | 'multiply', constant: Constant): Value {
  const { values } = constant;
  if (constant.shape.length > input.shape.length) {
    throw node.refuse(
      `its constant has rank ${constant.shape.length} and its input ${input.shape.length}; supported: no more.`,
    );
  }
  const isNonNegative = input.isNonNegative && values.every((value) => value >= 0);
  if (values.length === 1) {
    const [number = 0] = values;
    const [scale, offset] = operation === 'add' ? [1, number] : [number, 0];
    return { ...rescaled(node, input, scale, offset), isNonNegative };
  }
  const { value, vector } = alongChannels(node, input, constant);
  if (absorb(node, value, operation, vector)) return { ...value, isNonNegative };
  return { ...pixelwise(node, value, operation, vector), isNonNegative };
}

/** `input` with the axis that the constant runs along last, and the constant in the model's order. */
function alongChannels(node: NodeView, input: Value, constant: Constant) {
  const rank = input.shape.length;
  const { shape } = constant;
  const offset = rank - shape.length;
  const long = shape.flatMap((size, axis) => (size === 1 ? [] : [axis + offset]));
  const [axis = -1, more] = long;
  const size = input.shape[axis];
  if (offset < 0 || axis < 1 || more !== undefined || (typeof size === 'number' && size !== constant.values.length)) {
    throw node.refuse(
      `it has a constant of shape [${shape.join(', ')}]; supported: one number, or one for each channel.`,
    );
  }
  const order = input.layout.at(-1) === axis ? flattenedOrder(input) : undefined;
  const last = [...input.layout.filter((each) => each !== axis), axis];
  const value = input.layout.at(-1) === axis ? input : node.arranged(input, last);
  const { values } = order ? withRows({ shape: [constant.values.length], values: constant.values }, order) : constant;
  return { value, vector: { ...constant, values } };
}

function pixelwise(node: NodeView, input: Value, operation: 'add' | 'multiply', { values, origin }: Constant): Value {
  const channels = values.length;
  const ones = new Float32Array(channels).fill(1);
  const name = node.name();
  const image = asImage(node, input);
  const kernel = { shape: [1, 1, channels, 1], values: operation === 'add' ? ones : values };
  const source = node.add(
    {
      className: 'DepthwiseConv2D',
      name,
      config: {
        ...{
          kernel_size: [1, 1],
          strides: [1, 1],
          padding: 'valid',
          data_format: 'channels_last',
          depth_multiplier: 1,
        },
        ...{ activation: 'linear', use_bias: operation === 'add' },
      },
      weights:
        operation === 'add'
          ? { depthwise_kernel: kernel, bias: { shape: [channels], values, origin } }
          : { depthwise_kernel: { ...kernel, origin } },
    },
    [image.source],
  );
  return image.back(source);
}

/** x·scale + offset; an offset after a scale is taken into the layer that scales. */
export function rescaled(node: NodeView, input: Value, scale: number, offset: number): Value {
  const { layer } = input.source;
  const isNonNegative = input.isNonNegative && scale >= 0 && offset >= 0;
  if (scale === 1 && layer.className === 'Rescaling' && layer.config['offset'] === 0 && node.isOnlyUse(input)) {
    layer.config['offset'] = offset;
    layer.name = node.name();
    return { ...input, isNonNegative };
  }
  const source = node.add({ className: 'Rescaling', name: node.name(), config: { scale, offset } }, [input.source]);
  return { ...input, source, isNonNegative };
}

function mapped(constant: Constant, compute: (value: number) => number): Constant {
  return { ...constant, values: constant.values.map(compute) };
}
