import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accuracyDifferenceInterval, mcnemarTest } from '@atelier/evaluation';
import fc from 'fast-check';

const counts = fc.record({
  bothRight: fc.nat(200),
  onlyFirstRight: fc.nat(200),
  onlySecondRight: fc.nat(200),
  bothWrong: fc.integer({ min: 1, max: 200 }),
});

describe('the difference of two accuracies', () => {
  // Cavo et al. 2012, with the interval that the authors' R package contingencytables gives (Fagerland, Lydersen, Laake).
  test('has the interval that is published for 59, 6, 16 and 80 patients', () => {
    const interval = accuracyDifferenceInterval({
      bothRight: 59,
      onlyFirstRight: 6,
      onlySecondRight: 16,
      bothWrong: 80,
    });
    assert.deepEqual(
      interval.map((bound) => bound.toFixed(4)),
      ['-0.1186', '-0.0046'],
    );
  });

  test('has an interval that contains it, and that is turned round with the two versions', () => {
    fc.assert(
      fc.property(counts, (each) => {
        const { bothRight, onlyFirstRight, onlySecondRight, bothWrong } = each;
        const difference =
          (onlyFirstRight - onlySecondRight) / (bothRight + onlyFirstRight + onlySecondRight + bothWrong);
        const [low, high] = accuracyDifferenceInterval(each);
        assert.ok(-1 <= low && low <= difference && difference <= high && high <= 1);
        const turned = { ...each, onlyFirstRight: onlySecondRight, onlySecondRight: onlyFirstRight };
        const [turnedLow, turnedHigh] = accuracyDifferenceInterval(turned);
        assert.ok(Math.abs(turnedLow + high) < 1e-12 && Math.abs(turnedHigh + low) < 1e-12);
      }),
    );
  });
});

describe("McNemar's test", () => {
  // Bentur et al. 2009 as in Fagerland, Lydersen and Laake 2013, doi:10.1186/1471-2288-13-91: P = 0.070.
  test('of 1 against 7 children is exact, and gives the published 0.070', () => {
    const { pValue, method } = mcnemarTest(1, 7);
    assert.equal(method, 'exact');
    assert.equal(pValue, 18 / 256);
    assert.deepEqual(mcnemarTest(7, 1), { pValue, method });
  });

  // Approval of a prime minister, Agresti, Categorical Data Analysis, section 10.1: z = -4.17, so P = 3.1e-5.
  test('of 150 against 86 voters is the mid-p form, near 0.00003, which the normal approximation gives', () => {
    const { pValue, method } = mcnemarTest(150, 86);
    assert.equal(method, 'mid-p');
    assert.ok(pValue > 2.5e-5 && pValue < 3.5e-5, String(pValue));
  });

  test('begins the mid-p form at 25 images that tell the versions apart', () => {
    assert.equal(mcnemarTest(12, 12).method, 'exact');
    assert.equal(mcnemarTest(12, 13).method, 'mid-p');
  });

  test('finds nothing where both are equally often right, also where no image tells them apart', () => {
    assert.equal(mcnemarTest(0, 0).pValue, 1);
    assert.equal(mcnemarTest(9, 9).pValue, 1);
    assert.ok(mcnemarTest(50_000, 50_000).pValue > 0.99);
  });

  test('agrees with the binomial probabilities summed one by one', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.nat(40), (first, second) => {
        const trials = first + second;
        const fewer = Math.min(first, second);
        const chosen = (successes: number): number =>
          successes === 0 ? 1 : (chosen(successes - 1) * (trials - successes + 1)) / successes;
        const points = Array.from({ length: fewer + 1 }, (_, successes) => chosen(successes) / 2 ** trials);
        const tail = points.reduce((sum, point) => sum + point, 0);
        const exact = first === second ? 1 : 2 * tail;
        const expected =
          trials < 25 ? exact : first === second ? 1 - (points.at(-1) ?? 0) / 2 : 2 * tail - (points.at(-1) ?? 0);
        assert.ok(Math.abs(mcnemarTest(first, second).pValue - expected) < 1e-9);
      }),
    );
  });

  test('is a probability for any number of images', () => {
    fc.assert(
      fc.property(fc.nat(300_000), fc.nat(300_000), (first, second) => {
        const { pValue } = mcnemarTest(first, second);
        assert.ok(pValue >= 0 && pValue <= 1, String(pValue));
      }),
      { numRuns: 20 },
    );
  });
});
