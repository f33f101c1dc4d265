import { malformed } from '../errors.ts';
import { rankOf, shownShape, type Value } from '../graph/value.ts';
import type { LayerCall, MaskRule, Rule } from '../rule.ts';

/** Element by element over all inputs, from the left. `variadic` takes any number of them in one node. */
interface Merge {
  /** Of two inputs. */
  operator: string;
  /** Of any number of float32 inputs; without it, `operator` is chained. */
  variadic?: string;
  /** Exactly two inputs. */
  isBinary?: boolean;
  /** Computes in float32 whatever the inputs are. */
  isFloat?: boolean;
}

/**
 * A layer that combines its inputs element by element. One input, which Keras allows, passes through. Inputs that are all
 * int32 stay so; mixed ones become float32, as TensorFlow.js makes them.
 */
export const merge =
  ({ operator, variadic, isBinary = false, isFloat = false }: Merge): Rule =>
  (call) => {
    const inputs = ofOneRank(call, ofOneType(call, isFloat));
    if (isBinary && inputs.length !== 2) throw wrongCount(call, 'two');
    requireBroadcastable(call, inputs);
    const [first, second, ...others] = inputs;
    if (!first) throw wrongCount(call, 'two or more');
    if (!second) return first;
    const name = call.className.toLowerCase();
    const isOneNode = variadic !== undefined && (others.length > 0 || variadic === operator);
    if (isOneNode && (first.type === 'float32' || variadic === operator)) {
      return call.scope.add(variadic, inputs, {}, name);
    }
    return inputs.slice(1).reduce((result, input) => call.scope.add(operator, [result, input], {}, name), first);
  };

/**
 * The masks of layers that combine element by element. Keras 2 lets a step count where all masks do; Keras 3 where one does,
 * and everywhere when an input has none.
 *
 * TensorFlow.js drops the mask of the second of two inputs when the first has none. Otherwise its mask has a rank that no
 * layer can use, and `predict` throws, so that Keras's meaning stands there too.
 */
export const mergedMask: MaskRule = ({ masks, inputs, scope, dialect }) => {
  const present = distinct(masks);
  if (dialect.isKeras3) {
    const isComplete = masks.length === inputs.length && masks.every((mask) => mask);
    return isComplete ? combined(present, 'Or', scope) : undefined;
  }
  if (dialect.semantics === 'tfjs' && masks[0] === undefined && inputs.length === 2) return undefined;
  return combined(present, 'And', scope);
};

/** `masks` as one, undefined when there are none. */
export function combined(
  masks: readonly Value[],
  operator: 'And' | 'Or',
  scope: LayerCall['scope'],
): Value | undefined {
  const [first, ...others] = masks;
  if (!first) return undefined;
  return others.reduce((result, mask) => scope.add(operator, [result, mask], {}, 'mask'), first);
}

/** Masks that are there, each once. */
export function distinct(masks: readonly (Value | undefined)[]): Value[] {
  const byName = new Map(masks.flatMap((mask) => (mask ? [[mask.name, mask] as const] : [])));
  return [...byName.values()];
}

/** Inputs of the type that they share; float32 where they differ. */
export function ofOneType({ inputs, scope }: LayerCall, isFloat = false): readonly Value[] {
  const types = new Set(inputs.map(({ type }) => type));
  const isShared: boolean = types.size === 1 && (types.has('int32') || types.has('float32'));
  if (isShared && !(isFloat && types.has('int32'))) return inputs;
  return inputs.map((input) => scope.cast(input, 'float32'));
}

/**
 * Inputs with axes of size 1 behind the batch until all have the highest rank: [batch, channels] beside [batch, height,
 * width, channels] is [batch, 1, 1, channels]. ONNX by itself would add them in front. Scalars stay.
 */
function ofOneRank({ scope }: LayerCall, inputs: readonly Value[]): Value[] {
  const rank = Math.max(0, ...inputs.map(rankOf));
  return inputs.map((input) => {
    const missing = rank - rankOf(input);
    if (missing === 0 || rankOf(input) === 0) return input;
    return scope.unsqueeze(
      input,
      Array.from({ length: missing }, (_, index) => index + 1),
    );
  });
}

function requireBroadcastable({ name, className }: LayerCall, inputs: readonly Value[]): void {
  const rank = Math.max(0, ...inputs.map(rankOf));
  for (let axis = 0; axis < rank; axis++) {
    const sizes = inputs.map(({ shape }) => shape[axis]).filter((size) => typeof size === 'number' && size !== 1);
    if (new Set(sizes).size < 2) continue;
    const shapes = inputs.map(({ shape }) => shownShape(shape)).join(' and ');
    throw malformed(
      `Layer "${name}" (${className}) takes ${shapes}; expected sizes that are equal or 1 along each axis.`,
    );
  }
}

export function wrongCount({ name, className, inputs }: LayerCall, expected: string) {
  return malformed(`Layer "${name}" (${className}) takes ${inputs.length} inputs; expected ${expected}.`);
}
