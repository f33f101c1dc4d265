import { STEP_COUNT, type StateVariable } from '@atelier/onnx-training';
import { AVERAGE_PREFIX } from '../../network/parameters.ts';
import type { TensorData } from '../../network/initial-weights.ts';
import type { EngineState } from '../../training-engine.ts';

/** What the names of the optimiser's tensors begin with in an engine's state. */
const OPTIMIZER = 'optimizer/';

/** The values of a training step's state variables, by their names. */
export type VariableValues = ReadonlyMap<string, Float32Array>;

/** A tensor of an `EngineState` and the place in a state variable that holds it. */
interface Place {
  name: string;
  shape: readonly number[];
  variable: StateVariable;
  /** In elements. */
  offset: number;
}

/** The variables' values as an engine's state: views, so nobody may write to them. */
export function engineState(variables: readonly StateVariable[], values: VariableValues): EngineState {
  const tensors: Record<string, TensorData> = {};
  for (const { name, shape, variable, offset } of placesOf(variables)) {
    const data = valuesOf(values, variable);
    tensors[name] = { shape: [...shape], data: data.subarray(offset, offset + sizeOf(shape)) };
  }
  return { steps: valuesOf(values, { name: STEP_COUNT })[0] ?? 0, tensors };
}

/**
 * The values of the variables in `state`. A state without any optimiser tensor is that of a network before its first
 * step: the optimiser begins with zeros, averages with the weights. A `RangeError` names what is missing, too many or of
 * another shape.
 */
export function variableValues(variables: readonly StateVariable[], state: EngineState): VariableValues {
  const places = placesOf(variables);
  const known = new Set(places.map(({ name }) => name));
  const surplus = Object.keys(state.tensors).find((name) => !known.has(name));
  if (surplus !== undefined) throw new RangeError(`"${surplus}" is no tensor of this network and its optimiser.`);
  const isFresh = !Object.keys(state.tensors).some(
    (name) => name.startsWith(OPTIMIZER) || name.startsWith(AVERAGE_PREFIX),
  );
  const values = new Map<string, Float32Array>();
  for (const { name, shape, variable, offset } of places) {
    const target = values.get(variable.name) ?? new Float32Array(sizeOf(variable.shape));
    values.set(variable.name, target);
    if (isFresh && name.startsWith(OPTIMIZER)) continue;
    const source = isFresh && name.startsWith(AVERAGE_PREFIX) ? name.slice(AVERAGE_PREFIX.length) : name;
    const tensor = state.tensors[source];
    if (tensor?.shape.join() !== shape.join()) {
      const found = tensor === undefined ? 'is missing' : `has shape [${tensor.shape.join()}]`;
      throw new RangeError(`"${source}" ${found}; expected [${shape.join()}].`);
    }
    target.set(tensor.data, offset);
  }
  values.set(STEP_COUNT, Float32Array.of(state.steps));
  return values;
}

/** In the order of the network: weights, then running statistics, then averages, then what the optimiser keeps. */
function placesOf(variables: readonly StateVariable[]): Place[] {
  const places = variables
    .filter(({ name }) => name !== STEP_COUNT)
    .flatMap((variable) => {
      let offset = 0;
      return (variable.parts ?? [variable]).map(({ name, shape }): Place => {
        const place = { name: variable.initial === 'zeros' ? `${OPTIMIZER}${name}` : name, shape, variable, offset };
        offset += sizeOf(shape);
        return place;
      });
    });
  return places;
}

function valuesOf(values: VariableValues, { name }: { name: string }): Float32Array {
  const data = values.get(name);
  if (data === undefined) throw new RangeError(`The state has no "${name}".`);
  return data;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}
