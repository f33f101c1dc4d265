import { setImmediate } from 'node:timers/promises';
import { className, DomainError, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { AnsweredExplanation } from '../contract/explanation.ts';
import type { Prediction } from '../contract/predict.ts';
import type { Explanation } from '../explain/explanation.ts';
import { overlayOf } from '../explain/overlay.ts';

/** Of a float32, what is not rounding. */
const DIGITS = 7;

/** Refuses images [count, 28, 28] where they are more than are explained: `too-many-images`. */
export function requireExplainable(images: Uint8Array, maximum: number): void {
  const count = images.length / PIXELS_PER_IMAGE;
  if (count <= maximum) return;
  throw new DomainError('too-many-images', `${count} images came; at most ${maximum} of a request are explained.`);
}

/**
 * Says of each prediction what it rests on; `images` [count, 28, 28] are what was predicted. An overlay takes milliseconds:
 * others are answered between two of them.
 */
export async function addExplanations(
  predictions: readonly Prediction[],
  explanations: readonly Explanation[],
  images: Uint8Array,
): Promise<void> {
  for (const [row, prediction] of predictions.entries()) {
    const explanation = explanations[row];
    const image = images.subarray(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE);
    if (explanation === undefined) continue;
    prediction.explanation = answered(explanation, image);
    await setImmediate();
  }
}

function answered({ method, classIndex, map, gradient }: Explanation, image: Uint8Array): AnsweredExplanation {
  return {
    method,
    label: className(classIndex),
    classIndex,
    map: numbers(map),
    ...(gradient && { gradient: numbers(gradient) }),
    overlay: overlayOf(image, map),
  };
}

function numbers(values: Float32Array): number[] {
  return Array.from(values, (value) => Number(value.toPrecision(DIGITS)));
}
