import { type Attribute, type Dimension, int, ints } from '@atelier/onnx';
import { activate, type ActivationName, activationOf } from '../../activations.ts';
import { malformed } from '../../errors.ts';
import type { Scope } from '../../graph/scope.ts';
import { rankOf, shownShape, type Value } from '../../graph/value.ts';
import type { LayerCall } from '../../rule.ts';
import type { Cell } from './cell.ts';
import { gateActivation, heldWeight } from './cell-parts.ts';
import { lstmStates, splitFeatures } from './dense-cells.ts';

/**
 * An LSTM whose products are convolutions (arXiv 1506.04214), over sequences [batch, time, height, width, channels]. Within
 * the loop channels stand behind the batch, as Conv has them. Strides and dilation are those of the input's convolution;
 * the state's keeps its size.
 */
export function convCell(call: LayerCall, sequence: Value): Cell {
  const { settings, scope } = call;
  const isFirst =
    settings.choice('data_format', ['channels_last', 'channels_first'], 'channels_last') === 'channels_first';
  const window = windowOf(call, isFirst ? sequence.shape.slice(3) : sequence.shape.slice(2, 4), sequence);
  const channels = sequence.shape[isFirst ? 2 : 4];
  if (typeof channels !== 'number') {
    throw malformed(
      `Layer "${call.name}" (${call.className}) takes ${shownShape(sequence.shape)}; expected a known number of channels.`,
    );
  }
  const filters = settings.wholeNumber('filters');
  const layout = { permutation: [3, 2, 0, 1] };
  const kernel = heldWeight(call, 'kernel', [...window.kernelSize, channels, 4 * filters], layout);
  const recurrent = heldWeight(call, 'recurrent_kernel', [...window.kernelSize, filters, 4 * filters], layout);
  const bias = settings.boolean('use_bias', true) ? heldWeight(call, 'bias', [4 * filters]) : undefined;
  const names = { activation: activationOf(call, 'activation', 'tanh'), recurrentActivation: gateActivation(call) };
  // Along the last axis in the layout of the layer, which need not be that of the loop.
  const isTurned = (name: ActivationName) => !isFirst && ['softmax', 'log_softmax'].includes(name);
  const apply: Parameters<typeof lstmStates>[0] = (which, x, inside) => {
    const name = names[which];
    if (!isTurned(name)) return activate(name, x, inside, call.dialect.isKeras3);
    return inside.channelsFirst(activate(name, inside.channelsLast(x), inside, call.dialect.isKeras3));
  };
  const batch = sequence.shape[0] ?? null;
  const shape = isFirst ? [batch, filters, ...window.outputs] : [batch, ...window.outputs, filters];
  return {
    stateShapes: [shape, shape],
    prepare: (taken) => (isFirst ? taken : scope.transpose(taken, [0, 1, 4, 2, 3], 'channels_first')),
    zeros: (prepared) => zeros(scope, prepared, kernel, window, filters),
    step: (inside, slice, [h, c]) => {
      const input = inside.add('Conv', [slice, kernel, bias], window.input, 'input_sum');
      const sum = inside.add(
        'Add',
        [input, inside.add('Conv', [h, recurrent], window.state, 'recurrent_sum')],
        {},
        'sum',
      );
      return lstmStates(apply, inside, splitFeatures(inside, sum, filters, ['i', 'f', 'candidate', 'o']), c);
    },
    layout: {
      stateIn: (state) => (isFirst ? state : scope.channelsFirst(state)),
      stateOut: (state) => (isFirst ? state : scope.channelsLast(state)),
      sequenceOut: (given) => (isFirst ? given : scope.transpose(given, [0, 1, 3, 4, 2], 'channels_last')),
    },
  };
}

interface Window {
  kernelSize: readonly number[];
  /** Attributes of the two convolutions. */
  input: Readonly<Record<string, Attribute | string>>;
  state: Readonly<Record<string, Attribute | string>>;
  /** Height and width of a state. */
  outputs: readonly Dimension[];
}

function windowOf(call: LayerCall, space: readonly Dimension[], sequence: Value): Window {
  const { settings } = call;
  if (rankOf(sequence) !== 5) {
    throw malformed(
      `Layer "${call.name}" (${call.className}) takes ${shownShape(sequence.shape)}; expected rank 5: batch, time, height, width and channels.`,
    );
  }
  const kernelSize = settings.wholeNumbers('kernel_size', 2, NaN);
  const strides = settings.wholeNumbers('strides', 2, 1);
  const dilations = settings.wholeNumbers('dilation_rate', 2, 1);
  const isSame = settings.choice('padding', ['valid', 'same'], 'valid') === 'same';
  const extents = kernelSize.map((size, axis) => (size - 1) * (dilations[axis] ?? 1) + 1);
  const outputs = space.map((size, axis): Dimension => {
    const stride = strides[axis] ?? 1;
    if (isSame && stride === 1) return size;
    if (typeof size !== 'number') return null;
    return isSame ? Math.ceil(size / stride) : Math.ceil((size - (extents[axis] ?? 1) + 1) / stride);
  });
  const totals = space.map((size, axis) => {
    const [stride = 1, extent = 1, output] = [strides[axis], extents[axis], outputs[axis]];
    if (stride === 1) return extent - 1;
    if (typeof size !== 'number' || typeof output !== 'number') return undefined;
    return Math.max((output - 1) * stride + extent - size, 0);
  });
  return {
    kernelSize,
    outputs,
    input: { strides: ints(strides), dilations: ints(dilations), ...(isSame && samePads(totals)) },
    state: samePads(kernelSize.map((size) => size - 1)),
  };
}

/** Explicit where the sizes are known: half of them in front, the odd one behind. */
function samePads(totals: readonly (number | undefined)[]): Record<string, Attribute | string> {
  const known = totals.filter((total) => total !== undefined);
  if (known.length < totals.length) return { auto_pad: 'SAME_UPPER' };
  const begins = known.map((total) => Math.floor(total / 2));
  return { pads: ints([...begins, ...known.map((total, axis) => total - (begins[axis] ?? 0))]) };
}

/** Where height or width is open, the convolution of the first step tells the size of a state. */
function zeros(scope: Scope, prepared: Value, kernel: Value, { input, outputs }: Window, filters: number): Value {
  const [batch] = prepared.shape;
  if (typeof batch === 'number' && outputs.every((size) => typeof size === 'number')) {
    return scope.filled([batch, filters, ...outputs], 0, 'zeros');
  }
  const first = scope.add('Gather', [prepared, scope.int(0, 'first')], { axis: int(1) }, 'first_step');
  const whole = scope.shapeOf(scope.add('Conv', [first, kernel], input, 'first_sum'));
  const batchSize = scope.slice(whole, 0, 0, 1, 1, 'batch_size');
  const space = scope.slice(whole, 0, 2, 4, 1, 'space');
  const shape = scope.concat([batchSize, scope.ints([filters], 'filters'), space], 0, 'state_shape');
  return scope.add('ConstantOfShape', [shape], {}, 'zeros');
}
