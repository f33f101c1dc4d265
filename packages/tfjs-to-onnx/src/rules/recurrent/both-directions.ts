import type { Scope } from '../../graph/scope.ts';
import type { Value } from '../../graph/value.ts';
import { mapped, type RecurrentOperator, type States } from './cell.ts';
import { mergedAxis, type MergeMode, parted } from './merge-directions.ts';
import { runOperator } from './operator.ts';
import type { LayerCall } from '../../rule.ts';
import type { OpenLayer } from './run-layer.ts';

/** What one operator of direction `bidirectional` gave. */
interface Together {
  merged: readonly Value[];
  /** Of the layer that goes forwards, then of the other. */
  states: readonly Value[];
}

/** Both layers in one operator, where they are of one kind and every step counts; undefined where they are not. */
export function bothDirections(
  { scope, paths, name }: LayerCall,
  forward: OpenLayer,
  backward: OpenLayer,
  mode: MergeMode | 'none',
): Together | undefined {
  const pair = pairOf(forward, backward);
  if (!pair) return undefined;
  const { operators, initial } = pair;
  const { states, sequence } = runOperator(scope, operators, {
    path: paths[0] ?? name,
    sequence: forward.input,
    initial: initial && stacked(scope, initial),
    isReversed: false,
    isSequence: forward.isSequence,
    isKeras3: forward.call.dialect.isKeras3,
  });
  const { units } = operators[0];
  const merged = mergedAxis(scope, mode, sequence ?? states[0], units);
  const isAskedFor = forward.call.settings.boolean('return_state', false) || forward.states.isKept;
  if (!isAskedFor) return { merged, states: [] };
  const [h, ...cells] = mapped(states, (state) => parted(scope, state, 0));
  forward.states.after([h[0], ...cells.map(([there]) => there)]);
  backward.states.after([h[1], ...cells.map(([, back]) => back)]);
  return { merged, states: [...forward.states.all(), ...backward.states.all()] };
}

interface Pair {
  operators: readonly [RecurrentOperator, RecurrentOperator];
  /** Of each direction. */
  initial: readonly [States, States] | undefined;
}

function pairOf(forward: OpenLayer, backward: OpenLayer): Pair | undefined {
  const isPlain = !forward.mask && !forward.isReversed && backward.isReversed;
  const isAlike = forward.isSequence === backward.isSequence && forward.states.isKept === backward.states.isKept;
  const [maker, ...others] = forward.makers;
  const [backwardMaker, ...backwardOthers] = backward.makers;
  if (!isPlain || !isAlike || !maker || !backwardMaker || others.length > 0 || backwardOthers.length > 0)
    return undefined;
  const [cell, backwardCell] = [maker.make(forward.input), backwardMaker.make(backward.input)];
  const [one, other] = [cell.operator, backwardCell.operator];
  if (!one || !other) return undefined;
  const isOneKind = one.opType === other.opType && one.units === other.units && one.isResetAfter === other.isResetAfter;
  if (!isOneKind) return undefined;
  const there = forward.states.before(0, cell);
  const back = backward.states.before(0, backwardCell);
  return { operators: [one, other], initial: there && back && [there, back] };
}

/** [directions, batch, units] of each state. */
function stacked(scope: Scope, [there, back]: readonly [States, States]): States {
  return mapped(there, (state, index) => {
    const other = back[index] ?? state;
    return scope.concat(
      [state, other].map((each) => scope.unsqueeze(each, [0], 'initial')),
      0,
      'initial_states',
    );
  });
}
