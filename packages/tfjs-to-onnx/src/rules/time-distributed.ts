import type { Dimension } from '@atelier/onnx';
import { malformed, unsupported } from '../errors.ts';
import type { Scope } from '../graph/scope.ts';
import { rankOf, shownShape, type Value } from '../graph/value.ts';
import { type Heed, type LayerCall, onlyInput, type Rule } from '../rule.ts';
import { readLayer } from '../topology/read-model.ts';
import type { LayerEntry } from '../topology/topology.ts';

/** Layers that do the same to [batch, time, ...] as to each step of it. */
const STEPWISE_ANYWAY = [
  'Activation',
  'AlphaDropout',
  'Dense',
  'Dropout',
  'ELU',
  'GaussianDropout',
  'GaussianNoise',
  'LeakyReLU',
  'ReLU',
  'Rescaling',
  'ThresholdedReLU',
];

/** Layers inside that are computed otherwise under a mask. */
const HEEDING = ['Bidirectional', 'ConvLSTM2D', 'GRU', 'LSTM', 'RNN', 'SimpleRNN', 'Softmax', 'TimeDistributed'];

/** A layer at each step: the steps of all examples are so many examples to it. */
export const timeDistributed: Rule = (call) => {
  const { scope, name } = call;
  const input = onlyInput(call);
  if (rankOf(input) < 3) {
    throw malformed(
      `Layer "${name}" (TimeDistributed) takes ${shownShape(input.shape)}; expected [batch, time, ...], rank 3 or more.`,
    );
  }
  const entry = readLayer(call.settings.get('layer'), `layer of "${name}"`);
  if (keepsState(entry)) {
    throw unsupported(
      `Layer "${name}" (TimeDistributed) goes over the stateful layer "${entry.name}", whose state would go from step to step; ` +
        'supported: layers without state. Use a recurrent layer in its place.',
    );
  }
  const paths = pathsOf(call, entry);
  if (STEPWISE_ANYWAY.includes(entry.className))
    return call.apply(call.inner(entry, { inputs: [input], scope, paths }));
  const steps = merged(scope, input);
  const mask = stepMask(call);
  const inner = call.inner(entry, {
    inputs: [steps],
    masks: [mask && merged(scope, mask)],
    scope: scope.within(entry.name),
    paths,
  });
  const [result, ...others] = call.apply(inner);
  if (!result || others.length > 0) {
    throw unsupported(
      `Layer "${name}" (TimeDistributed) goes over "${entry.name}", which gives ${others.length + 1} values; supported: one. Build it for each value.`,
    );
  }
  return parted(scope, input, result);
};

/** TensorFlow.js hands the mask of the steps to the layer inside, which knows nothing of them. */
export function heededInside({ settings }: LayerEntry): Heed | undefined {
  const inner = readLayer(settings.get('layer'), 'The layer of a TimeDistributed');
  return HEEDING.includes(inner.className) || inner.model ? 'inside' : undefined;
}

/** A mask of more than steps has one for what the layer takes at each step. */
function stepMask({ masks: [mask] }: LayerCall): Value | undefined {
  return mask && rankOf(mask) > 2 ? mask : undefined;
}

/** TensorFlow.js names the weights after the wrapper, or as those of the model inside; Keras puts the layer's name between. */
function pathsOf({ paths }: LayerCall, { name, model }: LayerEntry): string[] {
  const inside = paths.map((path) => `${path}/${name}`);
  return model ? [...inside, ...paths, ''] : [...paths, ...inside];
}

/** [batch, time, ...] to [batch · time, ...]. */
function merged(scope: Scope, source: Value): Value {
  const features = source.shape.slice(2);
  if (features.filter((size) => typeof size !== 'number').length === 0) {
    return scope.reshape(source, [-1, ...(features as number[])], 'steps');
  }
  const rest = scope.slice(scope.shapeOf(source), 0, 2, rankOf(source), 1, 'step_shape');
  return scope.add('Reshape', [source, scope.concat([scope.ints([-1], 'all'), rest], 0, 'steps_shape')], {}, 'steps');
}

/** [batch · time, ...] to [batch, time, ...], with the batch and the time of `source`. */
function parted(scope: Scope, source: Value, steps: Value): Value {
  const features = steps.shape.slice(1);
  const sizes: readonly Dimension[] = [...source.shape.slice(0, 2), ...features];
  const isOpen = (size: Dimension) => typeof size !== 'number';
  if (sizes.filter(isOpen).length < 2) {
    const target = sizes.map((size) => (typeof size === 'number' ? size : -1));
    return scope.builder.refined(scope.reshape(steps, target, 'sequence'), sizes);
  }
  const outer = scope.slice(scope.shapeOf(source), 0, 0, 2, 1, 'batch_and_time');
  const inner = features.some(isOpen)
    ? scope.slice(scope.shapeOf(steps), 0, 1, rankOf(steps), 1, 'step_result_shape')
    : scope.ints(features as number[], 'step_result_sizes');
  const shape = scope.concat([outer, inner], 0, 'sequence_shape');
  return scope.builder.refined(scope.add('Reshape', [steps, shape], {}, 'sequence'), sizes);
}

function keepsState({ settings, model }: LayerEntry): boolean {
  return settings.get('stateful') === true || (model?.layers.some(keepsState) ?? false);
}
