import type { Dialect } from './dialect.ts';
import { malformed } from './errors.ts';
import type { Scope } from './graph/scope.ts';
import type { Value } from './graph/value.ts';
import type { LayerEntry, Topology } from './topology/topology.ts';
import type { Settings } from './settings.ts';

/** How a weight is to lie in the graph: its axes in another order, then in another shape. */
export interface WeightLayout {
  permutation?: readonly number[];
  shape?: readonly number[];
}

/** One call of a layer: what it takes, what the file says of it, and where its nodes go. */
export interface LayerCall {
  readonly className: string;
  readonly name: string;
  readonly settings: Settings;
  readonly dialect: Dialect;
  /** What the layer takes; float32, unless its rule says that it takes any type. */
  readonly inputs: readonly Value[];
  /** Which steps of each input count, bool [batch, time]; undefined where all do. */
  readonly masks: readonly (Value | undefined)[];
  readonly scope: Scope;
  /** Names under which the layer's weights may be found, the likeliest first: `path/part`. */
  readonly paths: readonly string[];
  hasWeight(part: string): boolean;
  /** The shape of that weight in the file, for a rule that finds a size nowhere else; undefined where there is none. */
  weightShape(part: string): readonly number[] | undefined;
  /** Weight `part` of this shape as float32, or an error that says what there is. */
  weight(part: string, shape: readonly number[], layout?: WeightLayout): Value;
  /** The numbers of that weight, for a rule that rearranges them. */
  weightValues(part: string, shape: readonly number[]): Float32Array;
  /** The call of a layer that is part of this one (a wrapper's, a cell): its weights lie below `path`. */
  inner(entry: LayerEntry, options: InnerCall): LayerCall;
  /** What is inside, when the layer is a model itself. */
  readonly model?: Topology;
  /** The rule for the class of `call`, applied; of a model, its layers. */
  apply(call: LayerCall): readonly Value[];
  /** The masks of what such a call gives. */
  masksOf(call: LayerCall): readonly (Value | undefined)[];
  /** Keeps a state from one run to the next: the graph gives `last`, which the caller hands back as the input `initial`. */
  keepState(state: State): void;
  warn(message: string): void;
}

export interface State {
  /** An input of the graph. */
  initial: Value;
  /** What the state is after the run: an output of the graph under its own name. */
  last: Value;
}

export interface InnerCall {
  inputs: readonly Value[];
  masks?: readonly (Value | undefined)[];
  /** Where the inner layer's nodes are named. */
  scope: Scope;
  /** As in `LayerCall`. */
  paths: readonly string[];
}

/** What a layer gives: one value, or several. */
export type Rule = (call: LayerCall) => Value | readonly Value[];

/** The mask of what a layer gives: of its first value, or one for each of its values. */
export type MaskRule = (call: LayerCall) => Value | undefined | readonly (Value | undefined)[];

/** What becomes of a class of layers; `onnx` is what the table in the README says. */
export type LayerRule = ConvertedLayer | RefusedLayer;

export interface ConvertedLayer {
  onnx: string;
  convert: Rule;
  /** Layers without one take the mask off. */
  mask?: MaskRule;
  /** What of it is computed otherwise under a mask, in TensorFlow.js too: nothing, where it is not said. */
  heedsMask?: Heed | ((layer: LayerEntry) => Heed | undefined);
  /** Takes inputs of any type as they are; the others get float32. */
  takesAnyType?: true;
  /** Classes of Keras that TensorFlow.js does not have. */
  isBeyondTfjs?: true;
}

/** Its steps, under a mask [batch, time]; all its elements, under one for each; or a layer inside, under a mask of its own. */
export type Heed = 'steps' | 'elements' | 'inside';

export interface RefusedLayer {
  /** Why, and the nearest way out: whole sentences. */
  refused: string;
  isBeyondTfjs?: true;
}

/** The mask of the first input goes on. */
export const passMask: MaskRule = ({ masks }) => masks[0];

/** The only input of a layer; several are `malformed-tfjs-model`. */
export function onlyInput({ name, className, inputs }: LayerCall): Value {
  const [input, ...others] = inputs;
  if (input !== undefined && others.length === 0) return input;
  throw malformed(`Layer "${name}" (${className}) takes ${inputs.length} inputs; expected one.`);
}

/** A layer that does nothing at inference. */
export const passThrough: Rule = onlyInput;

/**
 * The setting of a layer that TensorFlow.js ignores. `written` is what the file says, `ignored` what TensorFlow.js takes in
 * its place: the file's origin, or the caller, decides, and a difference is told.
 */
export function unlessIgnored<T>(call: LayerCall, key: string, written: T, ignored: T): T {
  if (JSON.stringify(written) === JSON.stringify(ignored)) return ignored;
  const { semantics, isChosen } = call.dialect;
  const what = `${key} ${JSON.stringify(written)} of a ${call.className}`;
  if (semantics === 'tfjs') {
    call.warn(`TensorFlow.js ignores ${what}, and so does the ONNX model; semantics "keras" follows it.`);
    return ignored;
  }
  if (!isChosen) call.warn(`The ONNX model follows ${what}; TensorFlow.js ignores it, as semantics "tfjs" does.`);
  return written;
}

/**
 * Whether to compute what TensorFlow.js computes, where it is something else than what Keras does with the same file.
 * `difference` completes "TensorFlow.js ...": the caller who did not choose is told.
 */
export function followsTfjs(call: LayerCall, difference: string): boolean {
  const { semantics, isChosen } = call.dialect;
  if (semantics === 'tfjs') return true;
  if (!isChosen)
    call.warn(`The ONNX model computes what Keras does; TensorFlow.js ${difference}, as semantics "tfjs" does.`);
  return false;
}
