import type { Dimension } from '@atelier/onnx';
import type { Dialect } from './dialect.ts';
import type { Value } from './graph/value.ts';
import type { Heed } from './rule.ts';
import type { Topology } from './topology/topology.ts';

/** The mask of a value: as it follows the values in Keras, and as TensorFlow.js has it. */
export interface Mask {
  readonly keras: Value | undefined;
  readonly tfjs: Value | undefined;
}

export const NO_MASK: Mask = { keras: undefined, tfjs: undefined };

/**
 * The mask that TensorFlow.js hands to each layer it computes (`kwargs` in tfjs-layers' executor.js). It has one place for
 * it, so that the mask of a layer stays there for all that are computed after it, until another takes the place. A model
 * inside the model shares the place, once there is one.
 */
export class HandedMask {
  #isThere: boolean;
  #held: Held = { mask: undefined, layer: '' };

  constructor(isThere = false) {
    this.#isThere = isThere;
  }

  get held(): Held {
    return this.#held;
  }

  /** The mask of the first input takes the place, even where that has none and only another input has. */
  take(masks: readonly Mask[], layer: string): void {
    if (masks.some(({ tfjs }) => tfjs)) this.put({ mask: masks[0]?.tfjs, layer });
  }

  put(held: Held): void {
    this.#isThere = true;
    this.#held = held;
  }

  inside(): HandedMask {
    return this.#isThere ? this : new HandedMask(true);
  }
}

/**
 * The mask under which a layer is computed, which heeds that of its first input. Where TensorFlow.js and Keras hand over
 * different ones, there is something to tell.
 */
export function heededMask(
  input: Value,
  own: Mask,
  heeds: Heed,
  { mask: handed, layer }: Held,
  { semantics, isChosen }: Dialect,
): { mask: Value | undefined; told?: string } {
  const isSame = handed?.name === own.keras?.name && (heeds !== 'inside' || !handed);
  if (isSame) return { mask: own.keras };
  const theirs = handed ? `the mask that layer "${layer}" had before it` : 'no mask';
  const keras = own.keras ? 'that of its input' : 'none';
  if (semantics === 'keras') {
    const told = `Its mask is ${keras}; TensorFlow.js hands it ${theirs}, as semantics "tfjs" does.`;
    return { mask: own.keras, ...(!isChosen && { told }) };
  }
  const isOwn = heeds !== 'inside' && handed?.name === own.tfjs?.name;
  const isPossible = !handed || isOwn || fits(handed, input, heeds);
  const and = isPossible
    ? `and so does the ONNX model; semantics "keras" hands it ${keras}`
    : `which does not fit; the ONNX model hands it ${keras}, as Keras does`;
  return { mask: isPossible ? handed : own.keras, told: `TensorFlow.js hands it ${theirs}, ${and}.` };
}

interface Held {
  readonly mask: Value | undefined;
  /** The layer that it was the mask of. */
  readonly layer: string;
}

/**
 * Whether a layer can be computed under a mask that is not its own: TensorFlow.js does not ask, and fails. Of steps it takes
 * as many as it needs, from the end at which it begins; of elements those of a shape that is the same for certain.
 */
function fits(mask: Value, input: Value, heeds: Heed): boolean {
  const [batch, time] = mask.shape;
  if (heeds === 'inside') return false;
  if (heeds === 'elements') {
    return mask.shape.length === input.shape.length && mask.shape.every((size, axis) => isOne(size, input.shape[axis]));
  }
  const steps = input.shape[1];
  const isTooShort = typeof time === 'number' && typeof steps === 'number' && time < steps;
  return mask.shape.length === 2 && isOne(batch, input.shape[0]) && !isTooShort;
}

/** Whether two sizes are the same for certain. */
function isOne(size: Dimension | undefined, other: Dimension | undefined): boolean {
  return size !== null && size !== undefined && size === other;
}

/** Whether there can be masks in a model at all. */
export function hasMasks({ layers }: Topology): boolean {
  return layers.some(
    ({ className, settings, model, calls }) =>
      className === 'Masking' ||
      (className === 'Embedding' && settings.get('mask_zero') === true) ||
      calls.some(({ mask }) => mask) ||
      (model !== undefined && hasMasks(model)),
  );
}
