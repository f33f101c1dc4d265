import { wilsonInterval } from '@atelier/domain';

/** How two versions did on the same images. */
export interface PairedCounts {
  bothRight: number;
  onlyFirstRight: number;
  onlySecondRight: number;
  bothWrong: number;
}

/**
 * 95 % interval of the first accuracy minus the second: the square-and-add method for paired proportions, with its
 * continuity-corrected correlation (Newcombe 1998, Statistics in Medicine 17, 2635–2650, method 10; recommended by
 * Fagerland, Lydersen and Laake 2014, doi:10.1002/sim.6148). At least one image.
 */
export function accuracyDifferenceInterval(counts: PairedCounts): [number, number] {
  const { bothRight, onlyFirstRight, onlySecondRight, bothWrong } = counts;
  const count = bothRight + onlyFirstRight + onlySecondRight + bothWrong;
  const [first, second] = [bothRight + onlyFirstRight, bothRight + onlySecondRight];
  const [firstLow, firstHigh] = wilsonInterval(first, count).map((bound) => Math.abs(bound - first / count));
  const [secondLow, secondHigh] = wilsonInterval(second, count).map((bound) => Math.abs(bound - second / count));
  const correlation = correctedCorrelation(counts, count);
  const difference = (first - second) / count;
  return [
    Math.max(-1, difference - lengthOf(firstLow ?? 0, secondHigh ?? 0, correlation)),
    Math.min(1, difference + lengthOf(firstHigh ?? 0, secondLow ?? 0, correlation)),
  ];
}

/** Of two deviations that correlate. */
function lengthOf(one: number, other: number, correlation: number): number {
  return Math.sqrt(Math.max(0, one ** 2 - 2 * correlation * one * other + other ** 2));
}

/** The phi coefficient, moved towards 0 by half an image where it is positive; 0 where a version has only one outcome. */
function correctedCorrelation(counts: PairedCounts, count: number): number {
  const { bothRight, onlyFirstRight, onlySecondRight, bothWrong } = counts;
  const margins =
    (bothRight + onlyFirstRight) *
    (onlySecondRight + bothWrong) *
    (bothRight + onlySecondRight) *
    (onlyFirstRight + bothWrong);
  if (margins === 0) return 0;
  const product = bothRight * bothWrong - onlyFirstRight * onlySecondRight;
  return (product < 0 ? product : Math.max(0, product - count / 2)) / Math.sqrt(margins);
}

/** With fewer discordant images the mid-p form may reject more often than it promises, if only a little. */
const FEW_DISCORDANT = 25;

/**
 * McNemar's test (1947, doi:10.1007/BF02295996) of whether two versions are equally often right: of the images that only
 * one of them has right, each is as likely to be either's. Two-sided; by the binomial distribution itself, and no
 * approximation of it: the exact test, and from 25 such images on its mid-p form, since the exact one is too cautious
 * (Fagerland, Lydersen and Laake 2013, doi:10.1186/1471-2288-13-91).
 */
export function mcnemarTest(
  onlyFirstRight: number,
  onlySecondRight: number,
): { pValue: number; method: 'exact' | 'mid-p' } {
  const discordant = onlyFirstRight + onlySecondRight;
  const method = discordant < FEW_DISCORDANT ? 'exact' : 'mid-p';
  const fewer = Math.min(onlyFirstRight, onlySecondRight);
  const { point, tail } = halfBinomial(discordant, fewer);
  if (onlyFirstRight === onlySecondRight) return { pValue: method === 'exact' ? 1 : 1 - point / 2, method };
  return { pValue: Math.min(1, method === 'exact' ? 2 * tail : 2 * tail - point), method };
}

/**
 * Of the binomial distribution with probability 1/2: the probability of `successes` in `trials`, and of at most so many,
 * for `successes` at most half of `trials`. By logarithms, because 2 ** -1100 is nothing to a double.
 */
function halfBinomial(trials: number, successes: number): { point: number; tail: number } {
  let logarithm = -trials * Math.LN2;
  for (let k = 1; k <= successes; k++) logarithm += Math.log((trials - successes + k) / k);
  let term = 1;
  let ratio = 1;
  // Each term by the one above it; what is below the rounding of the sum adds nothing.
  for (let k = successes; k > 0 && term > Number.EPSILON / 4; k--) {
    term *= k / (trials - k + 1);
    ratio += term;
  }
  return { point: Math.exp(logarithm), tail: Math.exp(logarithm) * ratio };
}
