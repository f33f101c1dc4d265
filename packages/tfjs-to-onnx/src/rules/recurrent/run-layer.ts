import { malformed, unsupported } from '../../errors.ts';
import { rankOf, shownShape, type Value } from '../../graph/value.ts';
import { type LayerCall, unlessIgnored } from '../../rule.ts';
import type { MaskedOutput } from './cell.ts';
import { type CellMaker, cellsOfLayer } from './cells-of-layer.ts';
import { runCell } from './run-cell.ts';
import { LayerStates } from './states.ts';

/** What a recurrent layer did. */
export interface LayerRun {
  /** What the last step gave. */
  last: Value;
  /** What each step gave, where its input lies; undefined where the layer does not give its sequence. */
  sequence: Value | undefined;
  /** After the last step, in the order in which the layer gives them. */
  states: readonly Value[];
  isReversed: boolean;
}

/**
 * The layer over its input, under its mask, from the states that it is given or has kept. A stack of cells is one after the
 * other over the whole sequence, which is the same as all of them at each step.
 */
export function runLayer(call: LayerCall, makers: readonly CellMaker[] = cellsOfLayer(call)): LayerRun {
  const { settings, scope, dialect } = call;
  const [input, ...given] = call.inputs;
  if (!input) throw malformed(`Layer "${call.name}" (${call.className}) takes nothing; expected a sequence.`);
  requireSupported(call);
  const isReversed = settings.boolean('go_backwards', false);
  const isSequence = settings.boolean('return_sequences', false);
  const mask = stepMask(call);
  const states = new LayerStates(call, makers, given);
  let taken = input;
  let last = input;
  makers.forEach((maker, index) => {
    const cell = maker.make(taken);
    const isLast = index === makers.length - 1;
    const initial = states.before(index, cell);
    const ran = runCell(
      makers.length === 1 ? scope : scope.within(`cell_${index}`),
      cell,
      {
        sequence: taken,
        mask,
        initial,
        isReversed,
        maskedOutput: isLast && mask ? maskedOutput(call, initial !== undefined) : 'state',
        isSequence: isSequence || !isLast,
      },
      dialect.isKeras3,
    );
    states.after(ran.states);
    last = ran.last;
    taken = ran.sequence ?? taken;
  });
  return { last, sequence: isSequence ? taken : undefined, states: states.all(), isReversed };
}

/** Bool [batch, time]; undefined where every step counts. */
function stepMask({ masks: [mask], name, className }: LayerCall): Value | undefined {
  if (!mask || rankOf(mask) === 2) return mask;
  throw unsupported(
    `Layer "${name}" (${className}) takes a mask of shape ${shownShape(mask.shape)}; supported: [batch, time]. ` +
      'Take the mask off with a layer that does not pass it on, or reshape it.',
  );
}

/** Keras has what the step before gave, and zeros at first; TensorFlow.js has the state. Both are zeros from zero states. */
function maskedOutput(call: LayerCall, hasInitial: boolean): MaskedOutput {
  const { settings, dialect } = call;
  if (unlessIgnored(call, 'zero_output_for_mask', settings.boolean('zero_output_for_mask', false), false))
    return 'zeros';
  if (!hasInitial || dialect.semantics === 'tfjs') return 'state';
  if (!dialect.isChosen) {
    call.warn(
      'It gives zeros before the first step that counts, as Keras does; TensorFlow.js gives the initial state.',
    );
  }
  return 'previous';
}

function requireSupported(call: LayerCall): void {
  const { name, className, settings } = call;
  const constants = settings.number('num_constants', 0);
  if (constants > 0) {
    throw unsupported(
      `Layer "${name}" (${className}) has num_constants ${constants}; supported: 0. Make the constants part of its input.`,
    );
  }
  if (unlessIgnored(call, 'time_major', settings.boolean('time_major', false), false)) {
    throw unsupported(
      `Layer "${name}" (${className}) has time_major true; supported: false. Permute its input and its output instead.`,
    );
  }
}
