import { CLASS_COUNT } from '@atelier/domain';

/** Beyond these a fit says that the validation split is too small, or the network knows it by heart. */
export const TEMPERATURES = { lowest: 0.25, highest: 20 } as const;

/** Of the temperature; the sampling of 6,000 images moves it a hundred times as much. */
const DECIMALS = 4;

/** Until two neighbours give the same temperature. */
const HALVINGS = 40;

/**
 * The temperature that divides logits [count, 10] for calibrated probabilities: that with the least mean cross-entropy
 * against `labels` [count] (arXiv 1706.04599, section 4.2). The answered class stays what it is, whatever the temperature.
 */
export function fittedTemperature(logits: Float32Array, labels: Uint8Array): number {
  // The loss is convex in the inverse temperature, and its slope therefore ascending: halving finds where it is 0.
  let [low, high] = [1 / TEMPERATURES.highest, 1 / TEMPERATURES.lowest];
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    if (lossSlope(logits, labels, middle) < 0) low = middle;
    else high = middle;
  }
  return Number((2 / (low + high)).toFixed(DECIMALS));
}

/** How the summed cross-entropy changes with the inverse temperature: expected minus true logit, summed. */
function lossSlope(logits: Float32Array, labels: Uint8Array, inverse: number): number {
  let slope = 0;
  labels.forEach((label, row) => {
    const values = logits.subarray(row * CLASS_COUNT, (row + 1) * CLASS_COUNT);
    const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
    let [total, weighted] = [0, 0];
    for (const value of values) {
      const weight = Math.exp((value - largest) * inverse);
      total += weight;
      weighted += weight * value;
    }
    slope += weighted / total - (values[label] ?? 0);
  });
  return slope;
}
