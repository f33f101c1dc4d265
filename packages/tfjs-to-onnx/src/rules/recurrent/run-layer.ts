import { malformed, unsupported } from '../../errors.ts';
import { rankOf, shownShape, type Value } from '../../graph/value.ts';
import { followsTfjs, type LayerCall, unlessIgnored } from '../../rule.ts';
import type { MaskedOutput } from './cell.ts';
import { type CellMaker, cellsOfLayer } from './cells-of-layer.ts';
import { runCell } from './run-cell.ts';
import { LayerStates } from './states.ts';

/** A recurrent layer before its first step. */
export interface OpenLayer {
  readonly call: LayerCall;
  readonly input: Value;
  readonly makers: readonly CellMaker[];
  readonly states: LayerStates;
  /** Bool [batch, time]; undefined where every step counts. */
  readonly mask: Value | undefined;
  /** From the last step to the first. */
  readonly isReversed: boolean;
  /** Whether it gives what every step gave. */
  readonly isSequence: boolean;
}

/** What a recurrent layer did. */
export interface LayerRun {
  /** What the last step gave. */
  last: Value;
  /** What each step gave, where its input lies; undefined where the layer does not give its sequence. */
  sequence: Value | undefined;
  /** After the last step, in the order in which the layer gives them. */
  states: readonly Value[];
}

/** The layer with its cells, and the states that it is given or has kept. */
export function openLayer(call: LayerCall, makers: readonly CellMaker[] = cellsOfLayer(call)): OpenLayer {
  const { settings } = call;
  const [input, ...given] = call.inputs;
  if (!input) throw malformed(`Layer "${call.name}" (${call.className}) takes nothing; expected a sequence.`);
  requireSupported(call);
  const isReversed = settings.boolean('go_backwards', false);
  return {
    call,
    input,
    makers,
    states: new LayerStates(call, makers, given),
    mask: stepMask(call, input, isReversed),
    isReversed,
    isSequence: settings.boolean('return_sequences', false),
  };
}

/** The layer over its input. A stack is one cell after the other over the whole sequence, instead of all at each step. */
export function runLayer({ call, input, makers, states, mask, isReversed, isSequence }: OpenLayer): LayerRun {
  let taken = input;
  let last = input;
  makers.forEach((maker, index) => {
    const cell = maker.make(taken);
    const isLast = index === makers.length - 1;
    const initial = states.before(index, cell);
    const scope = makers.length === 1 ? call.scope : call.scope.within(`cell_${index}`);
    const run = {
      sequence: taken,
      mask,
      initial,
      isReversed,
      maskedOutput: isLast && mask ? maskedOutput(call, initial !== undefined) : 'state',
      isSequence: isSequence || !isLast,
    } as const;
    const ran = runCell(scope, cell, run, call.dialect.isKeras3);
    states.after(ran.states);
    last = ran.last;
    taken = ran.sequence ?? taken;
  });
  return { last, sequence: isSequence ? taken : undefined, states: states.all() };
}

/**
 * Bool [batch, time]. One that is longer than the input came from another layer: TensorFlow.js takes its first steps, or its
 * last ones where it goes backwards, and fails under one that is shorter, as the ONNX model does.
 */
function stepMask(
  { masks: [mask], name, className, scope }: LayerCall,
  input: Value,
  isReversed: boolean,
): Value | undefined {
  if (!mask) return undefined;
  if (rankOf(mask) !== 2) {
    throw unsupported(
      `Layer "${name}" (${className}) takes a mask of shape ${shownShape(mask.shape)}; supported: [batch, time]. ` +
        'Take the mask off with a layer that does not pass it on.',
    );
  }
  const [time, steps] = [mask.shape[1], input.shape[1]];
  if (time === steps) return mask;
  const count = scope.slice(scope.shapeOf(input), 0, 1, 2, 1, 'steps');
  const axes = scope.ints([1], 'time_axis');
  const [start, end] = isReversed
    ? [scope.add('Neg', [count], {}, 'from_end'), scope.ints([Number.MAX_SAFE_INTEGER], 'end')]
    : [scope.ints([0], 'start'), count];
  return scope.add('Slice', [mask, start, end, axes], {}, 'mask_of_steps');
}

/** Keras gives what the step before gave, and zeros at first; TensorFlow.js gives the state, which may not begin with zeros. */
function maskedOutput(call: LayerCall, hasInitial: boolean): MaskedOutput {
  const isZero = call.settings.boolean('zero_output_for_mask', false);
  if (unlessIgnored(call, 'zero_output_for_mask', isZero, false)) return 'zeros';
  if (!hasInitial) return 'state';
  return followsTfjs(call, 'gives the initial state, and not zeros, before the first step that counts')
    ? 'state'
    : 'previous';
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
