import type { MaskRule, Rule } from '../../rule.ts';
import { openLayer, runLayer } from './run-layer.ts';

/** A layer that goes backwards gives its sequence in the order in which it took the steps. */
export const recurrent: Rule = (call) => {
  const layer = openLayer(call);
  const { last, sequence, states } = runLayer(layer);
  const given = sequence ? (layer.isReversed ? call.scope.reverse(sequence, 1) : sequence) : last;
  return call.settings.boolean('return_state', false) ? [given, ...states] : given;
};

/** A sequence has the mask of the sequence that it was made of. */
export const recurrentMask: MaskRule = ({ masks, settings }) =>
  settings.boolean('return_sequences', false) ? masks[0] : undefined;
