import { malformed } from '../../errors.ts';
import type { MaskRule, Rule } from '../../rule.ts';
import { cellItself } from './cells-of-layer.ts';
import { openLayer, runLayer } from './run-layer.ts';

/** A layer that goes backwards gives its sequence in the order in which it took the steps. */
export const recurrent: Rule = (call) => {
  const layer = openLayer(call);
  const { last, sequence, states } = runLayer(layer);
  const given = sequence ? (layer.isReversed ? call.scope.reverse(sequence, 1) : sequence) : last;
  return call.settings.boolean('return_state', false) ? [given, ...states] : given;
};

/** A cell as a layer takes its input and its states, and gives its output and its states: a sequence of one step. */
export const cell: Rule = (call) => {
  const [input, ...states] = call.inputs;
  const makers = cellItself(call);
  const expected = makers.reduce((total, { stateCount }) => total + stateCount, 0);
  if (!input || states.length !== expected) {
    throw malformed(
      `Layer "${call.name}" (${call.className}) takes ${call.inputs.length} inputs; expected one and ${expected} states.`,
    );
  }
  const sequence = call.scope.unsqueeze(input, [1], 'sequence');
  const { last, states: after } = runLayer(openLayer({ ...call, inputs: [sequence, ...states] }, makers));
  return [last, ...after];
};

/** A sequence has the mask of the sequence that it was made of. */
export const recurrentMask: MaskRule = ({ masks, settings }) =>
  settings.boolean('return_sequences', false) ? masks[0] : undefined;
