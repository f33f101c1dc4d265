import { createHash } from 'node:crypto';
import type { Dropout } from './network.ts';

/**
 * Masks of one dropout layer for consecutive steps, uint8 [steps, batch, units] of 0 and 1: each is 0 with probability
 * `rate`, to within 2⁻¹⁷. (seed, layer, number of the step) decide a step's mask, so that a run goes on from anywhere.
 */
export function dropoutMasks(
  { mask, units, rate }: Dropout,
  { seed, firstStep, steps, batchSize }: { seed: number; firstStep: number; steps: number; batchSize: number },
): Uint8Array {
  const perStep = batchSize * units;
  const masks = new Uint8Array(steps * perStep);
  for (let step = 0; step < steps; step++) {
    const state = createHash('sha256')
      .update(`${mask}/${seed}/${firstStep + step}`)
      .digest();
    fillMask(masks.subarray(step * perStep, (step + 1) * perStep), rate, state);
  }
  return masks;
}

const HALF_WORD = 1 << 16;

/**
 * Two units from each 32-bit number of sfc32 (Doty-Humphrey's PractRand). Written out in place: a call per number takes
 * several times as long, and there are 10⁹ of them in a training.
 */
function fillMask(mask: Uint8Array, rate: number, state: Buffer): void {
  const threshold = Math.round(rate * HALF_WORD);
  let a = state.readInt32LE(0) | 0; // |0 and no array: V8 keeps them in registers as integers
  let b = state.readInt32LE(4) | 0;
  let c = state.readInt32LE(8) | 0;
  let counter = 1;
  for (let unit = 0; unit < mask.length; unit += 2) {
    const number = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + number) | 0;
    // The sign of a difference instead of a branch, which would go the wrong way as often as the rate says.
    mask[unit] = 1 + (((number & 0xffff) - threshold) >> 31);
    mask[unit + 1] = 1 + (((number >>> 16) - threshold) >> 31); // past the end of an odd length it is not written
  }
}
