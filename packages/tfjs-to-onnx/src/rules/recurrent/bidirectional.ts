import { malformed, unsupported } from '../../errors.ts';
import type { Value } from '../../graph/value.ts';
import { type LayerCall, type MaskRule, type Rule, unlessIgnored } from '../../rule.ts';
import { isObject } from '../../settings.ts';
import { readLayer } from '../../topology/read-model.ts';
import type { LayerEntry } from '../../topology/topology.ts';
import { bothDirections } from './both-directions.ts';
import { type MergeMode, merged } from './merge-directions.ts';
import { type LayerRun, type OpenLayer, openLayer, runLayer } from './run-layer.ts';

/** The layers that may go both ways. */
const RECURRENT_CLASSES = ['SimpleRNN', 'GRU', 'LSTM', 'RNN', 'ConvLSTM2D'];

/** Settings that two layers of one kind may differ in without computing differently. */
const WITHOUT_EFFECT = ['name', 'go_backwards', 'trainable', 'dtype', 'build_config', 'module', 'registered_name'];

/** A layer over the steps as they come, and another one over them from the last to the first. */
export const bidirectional: Rule = (call) => {
  const mode = mergeMode(call);
  const [forward, backward] = directions(call);
  const returnsStates = forward.call.settings.boolean('return_state', false);
  const together = bothDirections(call, forward, backward, mode);
  if (together) return returnsStates ? [...together.merged, ...together.states] : together.merged;
  const [there, back] = [runLayer(forward), runLayer(backward)];
  // Each layer gives the steps in the order in which it takes them; those of the second are then turned round.
  const y = ordered(forward, there, forward.isReversed);
  const yBack = ordered(backward, back, forward.isSequence !== backward.isReversed);
  const result = mode === 'none' ? [y, yBack] : [merged(call.scope, mode, y, yBack)];
  return returnsStates ? [...result, ...there.states, ...back.states] : result;
};

/** Of both values, where they are not merged. */
export const bidirectionalMask: MaskRule = (call) => {
  const { settings } = layersOf(call)[0];
  if (!settings.boolean('return_sequences', false)) return undefined;
  return mergeMode(call) === 'none' ? [call.masks[0], call.masks[0]] : call.masks[0];
};

function ordered({ call }: OpenLayer, { sequence, last }: LayerRun, isTurned: boolean): Value {
  if (!sequence) return last;
  return isTurned ? call.scope.reverse(sequence, 1) : sequence;
}

/** Null is a mode of its own: the two are given one by one. */
function mergeMode({ settings }: LayerCall): MergeMode | 'none' {
  if (settings.isNull('merge_mode')) return 'none';
  return settings.choice('merge_mode', ['concat', 'sum', 'mul', 'ave'], 'concat');
}

/** The two layers with their inputs: initial states are those of the first, then those of the second. */
function directions(call: LayerCall): [OpenLayer, OpenLayer] {
  const [forward, backward] = layersOf(call);
  const [input, ...states] = call.inputs;
  if (!input) throw malformed(`Layer "${call.name}" (${call.className}) takes nothing; expected a sequence.`);
  const half = states.length / 2;
  const pathsOf = (names: readonly string[]) => call.paths.flatMap((path) => names.map((name) => `${path}/${name}`));
  const open = (entry: LayerEntry, part: 'forward' | 'backward', names: readonly string[]) =>
    openLayer(
      call.inner(entry, {
        inputs: [input, ...(part === 'forward' ? states.slice(0, half) : states.slice(half))],
        masks: call.masks.slice(0, 1),
        scope: call.scope.within(part),
        paths: pathsOf(names),
      }),
    );
  // Keras 3 writes the names of the layers with the direction in front already, and TensorFlow.js puts it there again.
  const plain = forward.name.replace(/^forward_/, '');
  return [
    open(forward, 'forward', [`forward_${forward.name}`, `forward_${plain}`]),
    open(backward, 'backward', [
      `backward_${forward.name}`,
      `backward_${plain}`,
      backward.name,
      `backward_${backward.name}`,
    ]),
  ];
}

/** The layer that the file has, and its counterpart; Keras may have written that down too. */
function layersOf(call: LayerCall): [LayerEntry, LayerEntry] {
  const forward = layerIn(call, 'layer');
  const mirrored = mirror(forward);
  if (!isObject(call.settings.get('backward_layer'))) return [forward, mirrored];
  const written = layerIn(call, 'backward_layer');
  const isSame = written.className === forward.className && written.settings.equals(mirrored.settings, WITHOUT_EFFECT);
  if (isSame) return [forward, { ...mirrored, name: written.name }];
  return [forward, unlessIgnored(call, 'backward_layer', 'of its own', '') === '' ? mirrored : written];
}

function mirror(entry: LayerEntry): LayerEntry {
  const { settings } = entry;
  return { ...entry, settings: settings.with({ go_backwards: !settings.boolean('go_backwards', false) }) };
}

function layerIn(call: LayerCall, key: string): LayerEntry {
  const entry = readLayer(call.settings.get(key), `${key} of layer "${call.name}"`);
  if (RECURRENT_CLASSES.includes(entry.className)) return entry;
  throw unsupported(
    `Layer "${call.name}" is a Bidirectional of a ${entry.className}; supported: ${RECURRENT_CLASSES.join(', ')}. ` +
      'Build it from one of these.',
  );
}
