import { CLASS_COUNT, type Manifest, publishedOutputs } from '@atelier/domain';
import type { OutputColumns } from '../compute/messages.ts';
import type { Outputs } from './predictor.ts';

/** What a row of a version is: its logits, its probabilities, and its outlier score where it gives one. */
export function columnsOf(manifest: Manifest): OutputColumns[] {
  return publishedOutputs(manifest).map(({ name, shape: [, width = 1] }) => ({ name, width }));
}

export function widthOf(columns: readonly OutputColumns[]): number {
  return columns.reduce((sum, { width }) => sum + width, 0);
}

const PROBABILITIES_END = 2 * CLASS_COUNT;

/** Rows [count, 20], or [count, 21] with outlier scores, as the outputs that they are. */
export function outputsIn(rows: Float32Array, width: number): Outputs {
  const count = rows.length / width;
  const logits = new Float32Array(count * CLASS_COUNT);
  const probabilities = new Float32Array(count * CLASS_COUNT);
  const outlierScores = width > PROBABILITIES_END ? new Float32Array(count) : undefined;
  for (let row = 0; row < count; row++) {
    const start = row * width;
    logits.set(rows.subarray(start, start + CLASS_COUNT), row * CLASS_COUNT);
    probabilities.set(rows.subarray(start + CLASS_COUNT, start + PROBABILITIES_END), row * CLASS_COUNT);
    if (outlierScores !== undefined) outlierScores[row] = rows[start + PROBABILITIES_END] ?? NaN;
  }
  return outlierScores === undefined ? { logits, probabilities } : { logits, probabilities, outlierScores };
}
