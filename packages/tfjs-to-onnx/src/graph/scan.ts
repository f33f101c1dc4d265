import { type Dimension, graphAttribute, int, ints } from '@atelier/onnx';
import { Scope } from './scope.ts';
import type { Value } from './value.ts';

/** A loop over the time axis, which is axis 1 of everything that has one. */
export interface Loop<States extends readonly Value[], Sequences extends readonly Value[]> {
  /** What the states are before the first step. */
  initial: States;
  /** Cut into steps along axis 1. */
  sequences: Sequences;
  /** From the last step to the first; what a step gives still lies where its inputs do. */
  isReversed: boolean;
}

/** What a step makes of the states and of its slices. It may take constants, and nothing else from outside. */
export type Step<States extends readonly Value[], Sequences extends readonly Value[]> = (
  inside: Scope,
  states: States,
  slices: Sequences,
) => { states: States; given: readonly Value[] };

/** Scan (ONNX, since opset 8): the states after the last step, and what all steps gave, along axis 1. */
export function scan<States extends readonly Value[], Sequences extends readonly Value[]>(
  scope: Scope,
  { initial, sequences, isReversed }: Loop<States, Sequences>,
  step: Step<States, Sequences>,
): { states: States; sequences: readonly Value[] } {
  const body = scope.builder.body();
  const inside = new Scope(body, scope.builder.unusedName(`${scope.prefix}/step`));
  const stateInputs = initial.map(({ type, shape }, index) =>
    body.input(`${inside.prefix}/state_${index}`, type, shape),
  );
  const slices = sequences.map(({ type, shape }, index) =>
    body.input(`${inside.prefix}/slice_${index}`, type, withoutTime(shape)),
  );
  // As many, and in the same order.
  const { states, given } = step(
    inside,
    stateInputs as readonly Value[] as States,
    slices as readonly Value[] as Sequences,
  );
  const results = distinct(inside, [...states, ...given], [...stateInputs, ...slices]);
  const direction = isReversed ? 1 : 0;
  const names = [...states.map((_, index) => `state_${index}`), ...given.map((_, index) => `sequence_${index}`)];
  const outputs = scope.addMany('Scan', [...initial, ...sequences], names, {
    body: graphAttribute(body.graph(inside.prefix, results)),
    num_scan_inputs: int(sequences.length),
    scan_input_axes: ints(sequences.map(() => 1)),
    scan_input_directions: ints(sequences.map(() => direction)),
    ...(given.length > 0 && {
      scan_output_axes: ints(given.map(() => 1)),
      scan_output_directions: ints(given.map(() => direction)),
    }),
  });
  return {
    states: outputs.slice(0, states.length) as readonly Value[] as States,
    sequences: outputs.slice(states.length),
  };
}

function withoutTime(shape: readonly Dimension[]): Dimension[] {
  return shape.filter((_, axis) => axis !== 1);
}

/** A body gives each of its values once, and none of its inputs: what would be there again is copied. */
function distinct(inside: Scope, results: readonly Value[], inputs: readonly Value[]): Value[] {
  const seen = new Set(inputs.map(({ name }) => name));
  return results.map((result) => {
    const isNew = !seen.has(result.name) && inside.builder.isOwn(result.name);
    seen.add(result.name);
    return isNew ? result : inside.add('Identity', [result], {}, 'copy');
  });
}
