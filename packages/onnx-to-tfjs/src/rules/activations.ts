import { transposed } from '../arrays.ts';
import type { Value } from '../layouts.ts';
import type { LayerDescription } from '../network.ts';
import type { NodeView, Rule } from '../node-view.ts';
import { rescaled } from './arithmetic.ts';
import { decimal } from './normalization.ts';

/** Functions of one element, by their names in TensorFlow.js, and whether they give nothing below zero. */
export const activation =
  (name: string, isNonNegative = false): Rule =>
  (node) =>
    activated(node, node.value(0), name, isNonNegative);

/** An activation that carries the name of the layer before it is that layer's own. */
function activated(node: NodeView, input: Value, name: string, isNonNegative: boolean): Value {
  const { layer } = input.source;
  if (layer.config['activation'] === 'linear' && layer.name === node.name() && node.isOnlyUse(input)) {
    node.network.keepApart(layer);
    layer.config['activation'] = name;
    return { ...input, isNonNegative };
  }
  return applied(
    node,
    input,
    { className: 'Activation', name: node.name(), config: { activation: name } },
    isNonNegative,
  );
}

function applied(node: NodeView, input: Value, layer: LayerDescription, isNonNegative: boolean): Value {
  return { ...input, source: node.add(layer, [input.source]), isNonNegative };
}

export const leakyRelu: Rule = (node) => {
  const alpha = decimal(node.float('alpha', 0.01));
  return applied(node, node.value(0), { className: 'LeakyReLU', name: node.name(), config: { alpha } }, alpha < 0);
};

export const elu: Rule = (node) => {
  requireAttributes(node, { alpha: 1 });
  return activated(node, node.value(0), 'elu', false);
};

/** The constants of arXiv 1706.02515, which TensorFlow.js has built in. */
export const selu: Rule = (node) => {
  requireAttributes(node, { alpha: 1.6732632423543772, gamma: 1.0507009873554805 });
  return activated(node, node.value(0), 'selu', false);
};

function requireAttributes(node: NodeView, expected: Record<string, number>): void {
  for (const [name, value] of Object.entries(expected)) {
    const found = node.float(name, value);
    if (Math.abs(found - value) > 1e-6) {
      throw node.refuse(
        `its ${name} is ${decimal(found)}; supported: ${decimal(Math.fround(value))}, as TensorFlow.js has it.`,
      );
    }
  }
}

export const thresholdedRelu: Rule = (node) => {
  const theta = decimal(node.float('alpha', 1));
  return applied(
    node,
    node.value(0),
    { className: 'ThresholdedReLU', name: node.name(), config: { theta } },
    theta >= 0,
  );
};

/** min(1, max(0, alpha·x + beta)). TensorFlow.js has 0.2x + 0.5; another line is scaled to that one first. */
export const hardSigmoid: Rule = (node) => {
  return hardSigmoidOf(node, node.value(0), node.float('alpha', 0.2), node.float('beta', 0.5));
};

/** x·HardSigmoid(x) with the line x/6 + 0.5 (arXiv 1905.02244). */
export const hardSwish: Rule = (node) => {
  const input = node.value(0);
  const gate = hardSigmoidOf(node, input, 1 / 6, 0.5);
  return gated(node, input, gate);
};

function gated(node: NodeView, input: Value, gate: Value): Value {
  const source = node.add({ className: 'Multiply', name: node.name() }, [input.source, gate.source]);
  return { ...input, source, isNonNegative: input.isNonNegative };
}

function hardSigmoidOf(node: NodeView, input: Value, alpha: number, beta: number): Value {
  const scale = decimal(Math.fround(alpha / 0.2));
  const offset = decimal(Math.fround((beta - 0.5) / 0.2));
  const line = scale === 1 && offset === 0 ? input : rescaled(node, input, scale, offset);
  return activated(node, line, 'hard_sigmoid', true);
}

/** One slope for each channel, or for each of whatever axes it runs along; the others share. */
export const pRelu: Rule = (node) => {
  const slope = node.weight(1);
  const given = node.value(0);
  const rank = given.shape.length;
  const input = node.inGraphOrder(given.layout.length === rank ? given : node.channelsLast(given));
  const offset = rank - slope.shape.length;
  const sizeOf = (axis: number) => slope.shape[axis - offset] ?? 1;
  if (offset < 0 || sizeOf(0) !== 1)
    throw node.refuse(`its slope has shape [${slope.shape.join(', ')}]; supported: no batch.`);
  const full = { shape: given.shape.map((_, axis) => sizeOf(axis)), values: slope.values };
  const { shape, values } = transposed(full, input.layout);
  const shared = shape.flatMap((size, axis) => (axis > 0 && size === 1 ? [axis] : []));
  const layer = {
    className: 'PReLU',
    name: node.name(slope),
    config: { shared_axes: shared },
    weights: { alpha: { shape: shape.slice(1), values, origin: slope.origin } },
    sharedBy: node.sharingKey([slope]),
  };
  return applied(node, input, layer, false);
};

/** Along one axis, which TensorFlow.js has to have last. Until opset 12 along all from that axis on. */
export const softmax =
  (name: 'softmax' | 'log_softmax'): Rule =>
  (node) => {
    const input = node.value(0);
    const axis = node.axis(node.int('axis', node.opset < 13 ? 1 : -1), input);
    if (axis === 0) throw node.refuse('it runs along the batch; supported: any other axis.');
    if (node.opset < 13 && input.shape.slice(axis + 1).some((size) => size !== 1)) {
      throw node.refuse('before opset 13 it runs along several axes; supported: one. Convert the model to opset 13.');
    }
    const others = input.layout.filter((each) => each !== axis);
    const ready = input.layout.at(-1) === axis ? input : node.arranged(input, [...others, axis]);
    return activated(node, ready, name, name === 'softmax');
  };

/** Between two bounds: a ReLU with a maximum, moved to the lower bound where that is not zero. */
export const clip: Rule = (node) => {
  const input = node.value(0);
  const minimum = bound(node, 'min', 1, -Infinity);
  const maximum = bound(node, 'max', 2, Infinity);
  if (minimum === 0 && maximum === Infinity) return activated(node, input, 'relu', true);
  if (minimum === 0 && maximum === 6) return activated(node, input, 'relu6', true);
  if (minimum === -Infinity && maximum === Infinity) return input;
  if (!(minimum > -Infinity) || !(maximum >= minimum)) {
    throw node.refuse(
      `it clips to ${minimum} and above, ${maximum} and below; supported: a lower bound, and an upper one above it.`,
    );
  }
  const raised = minimum === 0 ? input : rescaled(node, input, 1, -minimum);
  const config = maximum === Infinity ? {} : { max_value: maximum - minimum };
  const limited = applied(node, raised, { className: 'ReLU', name: `${node.name()}`, config }, true);
  return minimum === 0 ? limited : { ...rescaled(node, limited, 1, minimum), isNonNegative: minimum > 0 };
};

function bound(node: NodeView, name: 'min' | 'max', index: number, fallback: number): number {
  if (node.opset < 11) return limit(node.float(name, fallback), fallback);
  return limit(node.constant(index)?.values[0] ?? fallback, fallback);
}

/** The largest float32 stands for no bound. */
function limit(value: number, fallback: number): number {
  return Math.abs(value) >= 3.4e38 ? fallback : decimal(value);
}

/** Exact, with the normal distribution's own function (arXiv 1606.08415); the tanh form TensorFlow.js cannot load. */
export const gelu: Rule = (node) => {
  if (node.text('approximate', 'none') !== 'none') {
    throw node.refuse('it is approximated by tanh, which TensorFlow.js saves and cannot load. Use the exact form.');
  }
  return activated(node, node.value(0), 'gelu', false);
};
