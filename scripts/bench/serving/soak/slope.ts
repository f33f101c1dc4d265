/** A straight line through points, and between which slopes the true one lies in 95 of 100 cases. */
export interface Slope {
  slope: number;
  lowest: number;
  highest: number;
}

/** Least squares, with Student's interval of the slope. At least three points, whose `x` are not all the same. */
export function slopeOf(points: readonly { x: number; y: number }[]): Slope {
  if (points.length < 3) throw new RangeError(`${points.length} points; expected at least 3.`);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(({ x }) => x)), mean(points.map(({ y }) => y))];
  const spreadX = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spreadX;
  const residuals = points.reduce((sum, { x, y }) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  const freedom = points.length - 2;
  const error = Math.sqrt(residuals / freedom / spreadX) * quantile(freedom);
  return { slope, lowest: slope - error, highest: slope + error };
}

/** 97.5 % of Student's t by its expansion around the normal one (Abramowitz and Stegun, 26.7.5); 0.5 % off at three. */
function quantile(freedom: number): number {
  const z = 1.959964;
  const terms = [
    z,
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
  ];
  return terms.reduce((sum, term, power) => sum + term / freedom ** power, 0);
}
