/**
 * The area under the ROC curve: how probable it is that an outlier has a higher score than an inlier, an equal one counting
 * half; 0.5 for scores that say nothing. Both at least one, in any order.
 */
export function areaUnderRoc(inliers: ArrayLike<number>, outliers: ArrayLike<number>): number {
  const ascending = Float64Array.from(inliers).sort();
  let pairs = 0;
  for (const score of Array.from(outliers)) {
    pairs += (countBelow(ascending, score, false) + countBelow(ascending, score, true)) / 2;
  }
  return pairs / (ascending.length * outliers.length);
}

/** How many of `ascending` are below `limit`, or not above it. */
function countBelow(ascending: Float64Array, limit: number, includesLimit: boolean): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const value = ascending[middle] ?? 0;
    if (value < limit || (includesLimit && value === limit)) low = middle + 1;
    else high = middle;
  }
  return low;
}
