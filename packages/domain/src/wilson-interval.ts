/** The 97.5 % quantile of the normal distribution: a two-sided 95 % interval. */
const NORMAL_QUANTILE = 1.959963984540054;

/** 95 % score interval of a proportion (Wilson 1927, doi:10.2307/2276774). */
export function wilsonInterval(successes: number, count: number): [number, number] {
  const proportion = successes / count;
  const squared = NORMAL_QUANTILE ** 2;
  const centre = (proportion + squared / (2 * count)) / (1 + squared / count);
  const half =
    (NORMAL_QUANTILE / (1 + squared / count)) *
    Math.sqrt((proportion * (1 - proportion)) / count + squared / (4 * count * count));
  // At 0 and 1 the bound equals the proportion; rounding must not put it on the wrong side.
  return [Math.max(0, Math.min(centre - half, proportion)), Math.min(1, Math.max(centre + half, proportion))];
}
