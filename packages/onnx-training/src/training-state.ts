import type { DataType } from '@atelier/onnx';
import { product } from './shapes.ts';

/** A value that lives from step to step. */
export interface StateVariable {
  /** An input of the step; its value after the step is the output `<name>_new`. */
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly number[];
  /** What it begins with: zeros, what the caller gives, or for an average the parameter that it averages. */
  readonly initial: 'zeros' | 'given' | 'parameter';
  /** The tensors that are packed into it, one after the other; absent when it is one tensor itself. */
  readonly parts?: readonly StatePart[] | undefined;
}

/** A tensor inside a state variable. */
export interface StatePart {
  readonly name: string;
  readonly shape: readonly number[];
}

/** What the functions here need of a training step. */
export interface Stateful {
  readonly state: readonly StateVariable[];
  /** Values that the forward graph had for its own state, by name. */
  readonly initialValues: Readonly<Record<string, Float32Array>>;
}

/** Numbers by the caller's own names of tensors: of a parameter `w` its value `w`, its moments `<slot>/w`. */
export type NamedValues = Readonly<Record<string, ArrayLike<number>>>;

/** What the names of averages begin with. */
export const AVERAGE = 'average/';

/** The name of what a step makes of a state variable. */
export function updatedName(name: string): string {
  return `${name}_new`;
}

/**
 * What training begins with, by the names of the state variables, as a runtime's tensors:
 * `initialState(step, (data, shape) => new ort.Tensor('float32', data, shape))`. Parameters are those `given`, else those
 * of the forward graph; averages begin as their parameters, everything else of the optimiser's as zeros. To go on from
 * somewhere, give more: whatever `namedState` gave. A value that is missing, of another size or of no known name is a
 * `RangeError`.
 */
export function initialState<T>(
  step: Stateful,
  tensor: (data: Float32Array, shape: readonly number[]) => T,
  given: NamedValues = {},
): Record<string, T> {
  const known = new Set(step.state.flatMap((variable) => partsOf(variable).map(({ name }) => name)));
  const stranger = Object.keys(given).find((name) => !known.has(name));
  if (stranger !== undefined) throw new RangeError(`"${stranger}" is no state of the step, which has ${list(known)}.`);
  const values = { ...step.initialValues, ...given };
  const entries = step.state.map((variable): [string, T] => {
    const data = new Float32Array(product(variable.shape));
    for (const { name, offset, size } of partsOf(variable)) {
      const source = variable.initial === 'parameter' && !(name in values) ? name.slice(AVERAGE.length) : name;
      const value = values[source];
      if (value === undefined && variable.initial === 'zeros') continue;
      if (value?.length !== size) {
        throw new RangeError(`State "${source}" has ${value?.length ?? 'no'} values; expected ${size}.`);
      }
      data.set(value, offset);
    }
    return [variable.name, tensor(data, variable.shape)];
  });
  return Object.fromEntries(entries);
}

/** The state after a step or a loop of steps, out of its results: what the next call is to be fed. */
export function nextState<T>(
  { state }: Pick<Stateful, 'state'>,
  results: Readonly<Record<string, T>>,
): Record<string, T> {
  return Object.fromEntries(
    state.map(({ name }) => {
      const result = results[updatedName(name)];
      if (result === undefined) throw new RangeError(`The results have no "${updatedName(name)}".`);
      return [name, result];
    }),
  );
}

/** The state by the caller's own names of tensors, packed ones apart again; views, not copies. */
export function namedState(
  { state }: Pick<Stateful, 'state'>,
  tensors: Readonly<Record<string, { readonly data: unknown }>>,
): Record<string, Float32Array> {
  return Object.fromEntries(
    state.flatMap((variable) => {
      const data = tensors[variable.name]?.data;
      if (!(data instanceof Float32Array) || data.length !== product(variable.shape)) {
        throw new RangeError(`State "${variable.name}" is not ${product(variable.shape)} float32 values.`);
      }
      return partsOf(variable).map(({ name, offset, size }) => [name, data.subarray(offset, offset + size)] as const);
    }),
  );
}

/** Where each tensor lies in a state variable, in elements. */
function partsOf({ name, shape, parts = [{ name, shape }] }: StateVariable) {
  let end = 0;
  return parts.map((part) => {
    const size = product(part.shape);
    end += size;
    return { name: part.name, offset: end - size, size };
  });
}

function list(names: ReadonlySet<string>): string {
  return [...names].map((name) => `"${name}"`).join(', ');
}
