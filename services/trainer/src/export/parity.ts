import { CLASS_COUNT, DomainError, type Manifest } from '@atelier/domain';
import type { Predictions } from './onnx-model.ts';

/** Both sides compute in float32 with sums in other orders; a mistake in the graph shows up a thousand times larger. */
export const PARITY_TOLERANCE = 1e-5;

/**
 * Proves that the exported graph computes what was trained: `trainedLogits` [count, 10] against the graph's own outputs
 * on the same images, at the temperature of its probabilities. `parity-failed` when a probability differs by more than the tolerance.
 */
export function proveParity(
  trainedLogits: Float32Array,
  exported: Predictions,
  temperature: number,
): Manifest['parity'] {
  const parity = {
    images: exported.probabilities.length / CLASS_COUNT,
    maximumDifference: maximumDifference(softmaxRows(trainedLogits, temperature), exported.probabilities),
    maximumLogitDifference: maximumDifference(trainedLogits, exported.logits),
    tolerance: PARITY_TOLERANCE,
  };
  // Written so that NaN fails too.
  if (parity.maximumDifference <= PARITY_TOLERANCE) return parity;
  throw new DomainError(
    'parity-failed',
    `model.onnx differs from the trained network by ${parity.maximumDifference} in a probability on ` +
      `${parity.images} images; at most ${PARITY_TOLERANCE} is allowed. Nothing was published.`,
  );
}

function maximumDifference(expected: Float32Array, actual: Float32Array): number {
  if (expected.length !== actual.length) {
    throw new RangeError(`${actual.length} values to compare with ${expected.length}.`);
  }
  let maximum = 0;
  for (let index = 0; index < expected.length; index++) {
    const difference = Math.abs((expected[index] ?? NaN) - (actual[index] ?? NaN));
    if (!(difference <= maximum)) maximum = difference;
    if (Number.isNaN(maximum)) return NaN;
  }
  return maximum;
}

function softmaxRows(logits: Float32Array, temperature: number): Float32Array {
  const probabilities = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += CLASS_COUNT) {
    const row = logits.subarray(start, start + CLASS_COUNT);
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const exponentials = Float64Array.from(row, (value) => Math.exp((value - largest) / temperature));
    const sum = exponentials.reduce((a, b) => a + b, 0);
    exponentials.forEach((value, index) => {
      probabilities[start + index] = value / sum;
    });
  }
  return probabilities;
}
