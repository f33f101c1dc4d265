/** One number followed over the epochs; lower is better. Plain data, because a checkpoint holds it. */
export interface BestSoFar {
  /** Null before the first epoch. */
  value: number | null;
  /** Epochs since the best one. */
  epochsSince: number;
}

export const NOTHING_YET: BestSoFar = { value: null, epochsSince: 0 };

/** With the number of one more epoch; an improvement smaller than `minimumImprovement` is none. */
export function follow(soFar: BestSoFar, value: number, minimumImprovement = 0): BestSoFar {
  const improves = value < (soFar.value ?? Infinity) - minimumImprovement;
  return improves ? { value, epochsSince: 0 } : { ...soFar, epochsSince: soFar.epochsSince + 1 };
}
