/** Half an example in each bin, so that one without examples has a logarithm (Jeffreys' prior). */
const PRIOR = 0.5;

/**
 * The population stability index of `counts` against `reference`, shares of the same bins that were counted over
 * `referenceCount` examples: the sum over the bins of (now - before) × ln(now / before). 0 where both are alike; by its usual
 * reading below 0.1 nothing has changed, and from 0.25 on a lot (Siddiqi, Credit Risk Scorecards, 2006). Of examples that
 * have not changed it is about (bins - 1) / count, by chance. NaN where nothing was counted.
 */
export function stabilityIndex(
  counts: ArrayLike<number>,
  reference: readonly number[],
  referenceCount: number,
): number {
  const bins = reference.length;
  const count = Array.from(counts).reduce((sum, each) => sum + each, 0);
  if (count === 0) return NaN;
  return reference.reduce((sum, share, bin) => {
    const before = (share * referenceCount + PRIOR) / (referenceCount + PRIOR * bins);
    const now = ((counts[bin] ?? 0) + PRIOR) / (count + PRIOR * bins);
    return sum + (now - before) * Math.log(now / before);
  }, 0);
}
