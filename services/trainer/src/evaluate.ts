import { CLASS_COUNT, argmax } from '@atelier/domain';
import type { Examples } from '@atelier/fashion-mnist';
import type { TrainingEngine } from './training-engine.ts';

export interface Evaluation {
  /** Mean cross-entropy in nats. */
  loss: number;
  accuracy: number;
}

/** Loss and accuracy of the engine's network on `examples`, in inference mode. */
export async function evaluate(engine: TrainingEngine, examples: Examples): Promise<Evaluation> {
  const logits = await engine.logits(examples);
  let loss = 0;
  let correct = 0;
  for (let row = 0; row < examples.count; row++) {
    const rowLogits = logits.subarray(row * CLASS_COUNT, (row + 1) * CLASS_COUNT);
    const label = examples.labels[row] ?? 0;
    loss += logSumExp(rowLogits) - (rowLogits[label] ?? 0);
    if (argmax(rowLogits) === label) correct++;
  }
  return { loss: loss / examples.count, accuracy: correct / examples.count };
}

/** log Σ exp(x) without overflow. */
function logSumExp(values: Float32Array): number {
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}
