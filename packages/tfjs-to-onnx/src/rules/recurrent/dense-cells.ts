import { type Dimension, float32Tensor, int } from '@atelier/onnx';
import { activate, type ActivationName } from '../../activations.ts';
import type { Scope } from '../../graph/scope.ts';
import type { Value } from '../../graph/value.ts';
import type { LayerCall } from '../../rule.ts';
import type { Cell, States } from './cell.ts';
import { type CellParts, cellParts, columns, type DenseCellClass, heldWeight } from './cell-parts.ts';
import { operatorOf } from './operator-weights.ts';
import { zeroState } from './zero-state.ts';

type Step = Cell['step'];

const STEPS: Readonly<Record<DenseCellClass, (parts: CellParts) => Step>> = {
  SimpleRNNCell: simpleStep,
  GRUCell: (parts) => (parts.isResetAfter ? resetAfterStep(parts) : resetBeforeStep(parts)),
  LSTMCell: lstmStep,
};

/** The cell that `call` stands for, over sequences like this one, [batch, time, features]. */
export function denseCell(className: DenseCellClass, call: LayerCall, sequence: Value): Cell {
  const parts = cellParts(className, call, sequence);
  const operator = operatorOf(parts);
  const shape: Dimension[] = [sequence.shape[0] ?? null, parts.units];
  return {
    stateShapes: className === 'LSTMCell' ? [shape, shape] : [shape],
    prepare: (taken) => prepared(parts, taken),
    zeros: (taken) => zeroState(call.scope, taken, [parts.units]),
    step: STEPS[className](parts),
    ...(operator && { operator }),
  };
}

/** What the gates get of the inputs, [batch, time, gates · units]. */
function prepared(parts: CellParts, sequence: Value): Value {
  const { call, inputs, gates, units, hasBias, isResetAfter } = parts;
  const width = gates * units;
  const product = call.scope.add('MatMul', [sequence, call.weight('kernel', [inputs, width])], {}, 'product');
  if (!hasBias) return product;
  const bias = isResetAfter ? biasRow(parts, 0, 'input') : call.weight('bias', [width]);
  return call.scope.add('Add', [product, bias], {}, 'gates');
}

/** One of the two rows of the bias of a GRU that resets after the product. */
function biasRow({ call, gates, units }: CellParts, row: number, name: string): Value {
  const width = gates * units;
  const values = call.weightValues('bias', [2, width]).slice(row * width, (row + 1) * width);
  return call.scope.builder.initializer(float32Tensor(`${call.paths[0]}/bias/${name}`, [width], values));
}

function recurrentKernel({ call, units, gates }: CellParts): Value {
  return heldWeight(call, 'recurrent_kernel', [units, gates * units]);
}

/** h' = activation(x + h·U). */
function simpleStep(parts: CellParts): Step {
  const kernel = recurrentKernel(parts);
  return (inside, slice, [h]) => {
    const sum = inside.add('Add', [slice, inside.add('MatMul', [h, kernel], {}, 'recurrent')], {}, 'sum');
    return [applied(parts, 'activation', sum, inside.within('activation'))];
  };
}

/** i, f, o: gates; c' = f·c + i·activation(candidate); h' = o·activation(c'). */
function lstmStep(parts: CellParts): Step {
  const kernel = recurrentKernel(parts);
  return (inside, slice, [h, c]) => {
    const sum = inside.add('Add', [slice, inside.add('MatMul', [h, kernel], {}, 'recurrent')], {}, 'sum');
    const apply: Parameters<typeof lstmStates>[0] = (which, x, within) => applied(parts, which, x, within);
    return lstmStates(apply, inside, splitFeatures(inside, sum, parts.units, ['i', 'f', 'candidate', 'o']), c);
  };
}

/** The states of an LSTM from what its gates get and its cell state, whatever their rank. */
export function lstmStates(
  apply: (which: 'activation' | 'recurrentActivation', x: Value, inside: Scope) => Value,
  inside: Scope,
  [inputSum, forgetSum, candidateSum, outputSum]: readonly [Value, Value, Value, Value],
  c: Value | undefined,
): States {
  const gate = (sum: Value, name: string) => apply('recurrentActivation', sum, inside.within(name));
  const i = gate(inputSum, 'input_gate');
  const f = gate(forgetSum, 'forget_gate');
  const o = gate(outputSum, 'output_gate');
  const candidate = apply('activation', candidateSum, inside.within('candidate'));
  const kept = inside.add('Mul', [f, c], {}, 'kept');
  const next = inside.add('Add', [kept, inside.add('Mul', [i, candidate], {}, 'added')], {}, 'c');
  return [inside.add('Mul', [o, apply('activation', next, inside.within('activation'))], {}, 'h'), next];
}

/** z, r: gates; h' = z·h + (1 − z)·activation(x + (r·h)·U). */
function resetBeforeStep(parts: CellParts): Step {
  const { units } = parts;
  const whole = [units, 3 * units] as const;
  const gateKernel = columns(parts, 'recurrent_kernel', whole, [0, 2 * units], 'gates');
  const candidateKernel = columns(parts, 'recurrent_kernel', whole, [2 * units, 3 * units], 'candidate');
  return (inside, slice, [h]) => {
    const [gates, candidate] = splitFeatures(inside, slice, [2 * units, units], ['gates', 'candidate']);
    const sum = inside.add('Add', [gates, inside.add('MatMul', [h, gateKernel], {}, 'recurrent')], {}, 'sum');
    const [zSum, rSum] = splitFeatures(inside, sum, units, ['z', 'r']);
    const z = applied(parts, 'recurrentActivation', zSum, inside.within('update_gate'));
    const r = applied(parts, 'recurrentActivation', rSum, inside.within('reset_gate'));
    const reset = inside.add('Mul', [r, h], {}, 'reset');
    const recurrent = inside.add('MatMul', [reset, candidateKernel], {}, 'recurrent_candidate');
    return [mixed(parts, inside, z, h, inside.add('Add', [candidate, recurrent], {}, 'candidate_sum'))];
  };
}

/** z, r: gates; h' = z·h + (1 − z)·activation(x + r·(h·U + b)). */
function resetAfterStep(parts: CellParts): Step {
  const { units } = parts;
  const kernel = recurrentKernel(parts);
  const bias = parts.hasBias ? biasRow(parts, 1, 'recurrent') : undefined;
  return (inside, slice, [h]) => {
    const product = inside.add('MatMul', [h, kernel], {}, 'recurrent');
    const recurrent = bias ? inside.add('Add', [product, bias], {}, 'recurrent_sum') : product;
    const names = ['z', 'r', 'candidate'] as const;
    const [zX, rX, candidateX] = splitFeatures(inside, slice, units, names);
    const [zH, rH, candidateH] = splitFeatures(inside, recurrent, units, names);
    const z = applied(parts, 'recurrentActivation', inside.add('Add', [zX, zH]), inside.within('update_gate'));
    const r = applied(parts, 'recurrentActivation', inside.add('Add', [rX, rH]), inside.within('reset_gate'));
    const reset = inside.add('Mul', [r, candidateH], {}, 'reset');
    return [mixed(parts, inside, z, h, inside.add('Add', [candidateX, reset], {}, 'candidate_sum'))];
  };
}

function mixed(parts: CellParts, inside: Scope, z: Value | undefined, h: Value | undefined, sum: Value): Value {
  const candidate = applied(parts, 'activation', sum, inside.within('activation'));
  const rest = inside.add('Sub', [inside.float(1, 'one'), z], {}, 'rest');
  const kept = inside.add('Mul', [z, h], {}, 'kept');
  return inside.add('Add', [kept, inside.add('Mul', [rest, candidate], {}, 'added')], {}, 'h');
}

function applied(parts: CellParts, which: 'activation' | 'recurrentActivation', x: Value, inside: Scope): Value {
  const name: ActivationName = parts[which];
  return activate(name, x, inside, parts.call.dialect.isKeras3);
}

/** Parts of axis 1, of these sizes or all of one. */
export function splitFeatures<const Names extends readonly string[]>(
  inside: Scope,
  x: Value,
  sizes: number | readonly number[],
  names: Names,
): { [Index in keyof Names]: Value } {
  const each = typeof sizes === 'number' ? names.map(() => sizes) : sizes;
  return inside.addMany('Split', [x, inside.ints(each, 'sizes')], names, { axis: int(1) });
}
