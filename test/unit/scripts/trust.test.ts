import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PIXELS_PER_IMAGE } from '@atelier/domain';
import fc from 'fast-check';
import { fitted, type Grey } from '../../../scripts/src/trust/drawing/grey.ts';
import { drawnOutliers, OUTLIER_KINDS } from '../../../scripts/src/trust/outlier-kinds.ts';
import { trustPart } from '../../../scripts/src/trust/render-trust.ts';
import { areaUnderRoc } from '../../../scripts/src/trust/roc.ts';
import type { TrustResults } from '../../../scripts/src/trust/trust-results.ts';

describe('the area under the ROC curve', () => {
  test('is 1 where every outlier has a higher score, 0 where every one has a lower, and 0.5 for equal scores', () => {
    assert.equal(areaUnderRoc([1, 2, 3], [4, 5]), 1);
    assert.equal(areaUnderRoc([4, 5], [1, 2, 3]), 0);
    assert.equal(areaUnderRoc([1, 1, 1], [1, 1]), 0.5);
  });

  test('is the share of the pairs in which the outlier is higher, halves counted', () => {
    const scores = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(scores, scores, (inliers, outliers) => {
        const pairs = outliers.flatMap((high) => inliers.map((low) => (high > low ? 1 : high === low ? 0.5 : 0)));
        const expected = pairs.reduce<number>((sum, each) => sum + each, 0) / pairs.length;
        assert.ok(Math.abs(areaUnderRoc(inliers, outliers) - expected) < 1e-12);
      }),
    );
  });
});

describe('drawn outliers', () => {
  for (const kind of OUTLIER_KINDS) {
    test(`of the kind "${kind.name}" are the same for the same seed, others for another, and differ among themselves`, async () => {
      const images = await drawnOutliers(kind, 12, 1);
      assert.equal(images.length, 12 * PIXELS_PER_IMAGE);
      assert.deepEqual(await drawnOutliers(kind, 12, 1), images);
      assert.notDeepEqual(await drawnOutliers(kind, 12, 2), images);
      const rows = Array.from({ length: 12 }, (_, row) =>
        Buffer.from(images.subarray(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE)).toString('base64'),
      );
      assert.ok(new Set(rows).size > 5, `${new Set(rows).size} of 12`);
    });
  }

  test('of characters reach from edge to edge where they are 28 pixels long, and stand in the middle', () => {
    const tall: Grey = { width: 50, height: 100, values: new Float64Array(5000) };
    for (let y = 10; y < 80; y++) for (let x = 20; x < 30; x++) tall.values[y * 50 + x] = 90;
    const image = fitted(tall, 28);
    assert.ok(image);
    const lit = [...image.keys()].filter((place) => (image[place] ?? 0) > 0);
    const columns = lit.map((place) => place % 28);
    assert.deepEqual([Math.floor((lit[0] ?? 0) / 28), Math.floor((lit.at(-1) ?? 0) / 28)], [0, 27]);
    assert.deepEqual([Math.min(...columns), Math.max(...columns)], [12, 15], '10 of 70 pixels are 4 of 28');
    assert.equal(Math.max(...image), 255, 'as bright as it can be');
    assert.equal(fitted({ ...tall, values: new Float64Array(5000) }, 28), null);
  });
});

describe('the part of the results about trust', () => {
  test('says of each kind of outlier whether its area is large enough', () => {
    const kind = { count: 10, flagged: 0.9, abstained: 0.95 };
    const results: TrustResults = {
      writtenAt: '2026-01-01T00:00:00.000Z',
      seed: 1,
      model: { name: 'fashion-mlp', version: 3, digest: 'sha256:0' },
      temperature: 0.8431,
      calibrationError: { uncalibrated: 0.0159, calibrated: 0.0079 },
      garments: {
        count: 10_000,
        accuracy: 0.92,
        pass: 0.945,
        lowConfidence: 0.05,
        abstained: 0.09,
        accuracyOfOthers: 0.95,
      },
      thresholds: { outlierScore: 3.3, confidence: 0.6 },
      outliers: [
        { ...kind, name: 'a', title: 'digits', area: 0.9502 },
        { ...kind, name: 'b', title: 'letters', area: 0.9499 },
      ],
    };
    const text = trustPart(results);
    assert.match(text, /\| digits +\| 0\.950 +\| 90\.00 % +\| 95\.00 % +\| yes +\|/);
    assert.match(text, /\| letters +\| 0\.950 +\|.*\| \*\*no\*\* +\|/);
    assert.match(text, /temperature 0\.8431 +\| 0\.79 % +\| at most 1\.50 %/);
  });
});
