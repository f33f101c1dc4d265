import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stabilityIndex } from '@atelier/inference';
import fc from 'fast-check';

const COUNT = 1_000_000;

describe('the population stability index', () => {
  test('is 0 where the shares are those of the reference', () => {
    assert.ok(Math.abs(stabilityIndex([100_000, 300_000, 600_000], [0.1, 0.3, 0.6], COUNT)) < 1e-9);
  });

  test('is the sum of the differences times their logarithms, computed by hand', () => {
    // (0.5 - 0.25) ln 2 + (0.5 - 0.75) ln (2/3)
    const expected = 0.25 * Math.log(2) - 0.25 * Math.log(2 / 3);
    assert.ok(Math.abs(stabilityIndex([500_000, 500_000], [0.25, 0.75], COUNT) - expected) < 1e-4);
  });

  test('is a number where a bin is empty on one side, and above 0.25 where all answers are in one', () => {
    assert.ok(stabilityIndex([0, 500], [0.5, 0.5], COUNT) > 0.25);
    assert.ok(Number.isFinite(stabilityIndex([250, 250], [0, 1], COUNT)));
    assert.ok(Number.isNaN(stabilityIndex([0, 0], [0.5, 0.5], COUNT)), 'nothing was counted');
  });

  test('is never below 0', () => {
    const bins = fc
      .array(fc.nat(1000), { minLength: 3, maxLength: 3 })
      .filter((counts) => counts.some((count) => count > 0));
    fc.assert(
      fc.property(bins, bins, (counts, before) => {
        const total = before.reduce((sum, count) => sum + count, 0);
        assert.ok(
          stabilityIndex(
            counts,
            before.map((count) => count / total),
            total,
          ) >= -1e-12,
        );
      }),
    );
  });
});
