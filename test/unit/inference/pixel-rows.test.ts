import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { packPixelRows, PixelRow } from '@atelier/inference';
import fc from 'fast-check';

describe('rows of pixels', () => {
  test('are packed one after the other', () => {
    const rows = [Array<number>(784).fill(7), Array.from({ length: 784 }, (_, pixel) => pixel % 256)];
    assert.deepEqual([...packPixelRows(rows)], rows.flat());
  });

  test('are accepted exactly when the schema that describes them accepts them', () => {
    const pixel = fc.integer({ min: 0, max: 255 });
    const oddity = fc.oneof(
      fc.integer({ min: -2, max: 258 }),
      fc.double(),
      fc.constantFrom(null, undefined, '7', true, NaN, Infinity, -0, 1e3, [1], {}),
    );
    const row = fc
      .tuple(
        fc.array(pixel, { minLength: 784, maxLength: 784 }),
        fc.array(fc.tuple(fc.nat(783), oddity), { maxLength: 2 }),
        fc.constantFrom(0, 0, 0, -1, 1),
      )
      .map(([pixels, oddities, length]): unknown[] => {
        const changed: unknown[] = [...pixels, 0].slice(0, 784 + length);
        for (const [place, value] of oddities) if (place < changed.length) changed[place] = value;
        return changed;
      });
    const outcomes = new Set<boolean>();
    fc.assert(
      fc.property(row, (candidate) => {
        const accepted = PixelRow.safeParse(candidate).success;
        outcomes.add(accepted);
        if (accepted)
          assert.deepEqual(
            [...packPixelRows([candidate])],
            candidate.map((value) => Number(value) + 0),
          );
        else assert.throws(() => packPixelRows([candidate]), { code: 'invalid-request' });
      }),
      { numRuns: 300 },
    );
    assert.equal(outcomes.size, 2, 'both were seen');
  });
});
