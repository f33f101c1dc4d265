import { z } from 'zod';
import { Speeds, type Subject } from './gpu-results.ts';

/** What a trial's process is told. */
export interface TrialTask {
  subject: Subject;
  /** So little that a program that imitates a GPU can do it; the figures mean nothing then. */
  isQuick: boolean;
  epochs: number;
  modelsDirectory: string;
  dataset: { directory: string | undefined; cacheDirectory: string };
}

/** What it prints: its speeds, and numbers that must be the same on every device. */
export const TrialResult = z.strictObject({ measured: Speeds, numbers: z.array(z.number()) });
export type TrialResult = z.infer<typeof TrialResult>;

/** The largest absolute difference; infinite where there are other numbers than expected, or none that are finite. */
export function largestDifference(numbers: readonly number[], expected: readonly number[]): number {
  if (numbers.length !== expected.length) return Infinity;
  return numbers.reduce((largest, value, index) => {
    const difference = Math.abs(value - (expected[index] ?? NaN));
    return Number.isNaN(difference) ? Infinity : Math.max(largest, difference);
  }, 0);
}
