import type { Scope } from '../../graph/scope.ts';
import { scan } from '../../graph/scan.ts';
import type { Value } from '../../graph/value.ts';
import { type Cell, mapped, type Ran, type RecurrentOperator, type Run, type States } from './cell.ts';
import { runOperator } from './operator.ts';

/**
 * A cell over a sequence. ONNX's own operator where there is one and every step counts; otherwise a Scan, which alone can
 * leave the states as they are at a step in the middle (`sequence_lens` of the operators can only stop early).
 */
export function runCell(scope: Scope, cell: Cell, run: Run, isKeras3: boolean): Ran {
  if (cell.operator && !run.mask) return byOperator(scope, cell.operator, run, isKeras3);
  return byScan(scope, cell, run);
}

function byOperator(scope: Scope, operator: RecurrentOperator, run: Run, isKeras3: boolean): Ran {
  const initial = run.initial && mapped(run.initial, (state) => scope.unsqueeze(state, [0], 'initial'));
  const { states, sequence } = runOperator(scope, [operator], { ...run, path: operator.path, initial, isKeras3 });
  const squeezed = mapped(states, (state, index) => scope.squeeze(state, [0], index === 0 ? 'h' : 'c'));
  const given = sequence && scope.squeeze(sequence, [1], 'time_major_sequence');
  return {
    last: squeezed[0],
    sequence: given && scope.transpose(given, [1, 0, 2], 'batch_major_sequence'),
    states: squeezed,
  };
}

function byScan(scope: Scope, cell: Cell, run: Run): Ran {
  const { stateIn, stateOut, sequenceOut } = cell.layout ?? AS_THEY_ARE;
  const { isReversed, isSequence, maskedOutput } = run;
  const prepared = cell.prepare(run.sequence);
  const zeros = once(() => cell.zeros(prepared));
  const initial = run.initial ? mapped(run.initial, stateIn) : mapped(cell.stateShapes, zeros);
  const rank = initial[0].shape.length;
  const counts =
    run.mask &&
    scope.unsqueeze(
      run.mask,
      Array.from({ length: rank - 1 }, (_, index) => index + 2),
      'counts',
    );
  // Where what the layer gives is not its state, it goes along as one more state, in front.
  const isApart = counts !== undefined && maskedOutput !== 'state';
  const { states, sequences } = scan<States, States>(
    scope,
    {
      initial: isApart ? [zeros(), ...initial] : initial,
      sequences: counts ? [prepared, counts] : [prepared],
      isReversed,
    },
    (inside, before, [slice, isCounted]) => {
      const old = isApart ? withoutFirst(before) : before;
      const either = (next: Value, otherwise: Value | undefined, name: string) =>
        isCounted ? inside.add('Where', [isCounted, next, otherwise], {}, name) : next;
      const next = cell.step(inside, slice, old);
      const kept = mapped(next, (state, index) => either(state, old[index], `kept_${index}`));
      const masked = maskedOutput === 'zeros' ? inside.float(0, 'nothing') : before[0];
      const given = isApart ? either(next[0], masked, 'given') : kept[0];
      return { states: isApart ? [given, ...kept] : kept, given: isSequence ? [given] : [] };
    },
  );
  const outside = mapped(states, stateOut);
  const [given] = sequences;
  return {
    last: outside[0],
    sequence: given && sequenceOut(given),
    states: isApart ? withoutFirst(outside) : outside,
  };
}

const same = (value: Value): Value => value;
const AS_THEY_ARE = { stateIn: same, stateOut: same, sequenceOut: same };

function once(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => (made ??= make());
}

function withoutFirst([first, second, ...others]: States): States {
  return second ? [second, ...others] : [first];
}
