import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CLASS_COUNT,
  className,
  classificationMetrics,
  ERROR_CODES,
  parseManifest,
  wilsonInterval,
} from '@atelier/domain';
import fc from 'fast-check';

/** Rows of 10 probabilities that give class `predicted` the probability `confidence` and share the rest. */
function rows(predictions: { predicted: number; confidence: number }[]): Float32Array {
  return Float32Array.from(
    predictions.flatMap(({ predicted, confidence }) =>
      Array.from({ length: CLASS_COUNT }, (_, index) => (index === predicted ? confidence : (1 - confidence) / 9)),
    ),
  );
}

describe('classes', () => {
  test('have the data set’s order', () => {
    assert.deepEqual([className(0), className(5), className(9)], ['T-shirt/top', 'Sandal', 'Ankle boot']);
  });

  test('end at 9', () => {
    for (const index of [-1, 10, 1.5]) assert.throws(() => className(index), RangeError);
  });
});

describe('classification metrics', () => {
  test('of a worked example', () => {
    const predictions = [
      { predicted: 0, confidence: 0.9 },
      { predicted: 0, confidence: 0.6 },
      { predicted: 1, confidence: 0.8 },
      { predicted: 1, confidence: 0.8 },
    ];
    const metrics = classificationMetrics(rows(predictions), Uint8Array.of(0, 1, 1, 1));
    assert.equal(metrics.accuracy, 0.75);
    assert.equal(metrics.confusionMatrix[1]?.[0], 1);
    assert.equal(metrics.confusionMatrix[1]?.[1], 2);
    assert.deepEqual(metrics.perClass[0], { label: 'T-shirt/top', precision: 0.5, recall: 1, f1: 2 / 3, support: 1 });
    assert.deepEqual(metrics.perClass[1], { label: 'Trouser', precision: 1, recall: 2 / 3, f1: 0.8, support: 3 });
    const loss = -(Math.log(0.9) + Math.log(0.4 / 9) + 2 * Math.log(0.8)) / 4;
    assert.ok(Math.abs(metrics.loss - loss) < 1e-6);
    // Bins: 0.9 right (gap 0.1), 0.6 wrong (gap 0.6), 0.8 twice right (gap 0.4 together).
    assert.ok(Math.abs(metrics.calibrationError - (0.1 + 0.6 + 0.4) / 4) < 1e-6);
  });

  test('the confusion matrix counts every image once, and accuracy is its diagonal', () => {
    const prediction = fc.record({ predicted: fc.nat(9), confidence: fc.double({ min: 0.11, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(fc.tuple(prediction, fc.nat(9)), { minLength: 1, maxLength: 50 }), (cases) => {
        const metrics = classificationMetrics(
          rows(cases.map(([each]) => each)),
          Uint8Array.from(cases, ([, label]) => label),
        );
        const total = metrics.confusionMatrix.flat().reduce((sum, value) => sum + value, 0);
        const diagonal = metrics.confusionMatrix.reduce((sum, row, index) => sum + (row[index] ?? 0), 0);
        assert.equal(total, cases.length);
        assert.equal(metrics.accuracy, diagonal / cases.length);
        const [low, high] = metrics.accuracyInterval;
        assert.ok(low <= metrics.accuracy && metrics.accuracy <= high);
      }),
    );
  });

  test('refuse labels and sizes that do not fit', () => {
    assert.throws(() => classificationMetrics(new Float32Array(10), Uint8Array.of(10)), /Label 10 in row 0/);
    assert.throws(() => classificationMetrics(new Float32Array(9), Uint8Array.of(1)), /9 probabilities for 1 labels/);
    assert.throws(() => classificationMetrics(new Float32Array(0), new Uint8Array(0)), /at least one/);
  });

  test('the Wilson interval of 8,850 in 10,000 is 87.86 to 89.11 %', () => {
    const [low, high] = wilsonInterval(8850, 10_000);
    assert.equal(low.toFixed(4), '0.8786');
    assert.equal(high.toFixed(4), '0.8911');
  });
});

describe('manifests and codes', () => {
  test('a manifest that lacks fields is refused with their names and the place', () => {
    assert.throws(() => parseManifest({ manifestVersion: 2 }, 'models/m/1/manifest.json'), {
      code: 'invalid-manifest',
      message: /models\/m\/1\/manifest\.json.*manifestVersion.*digest.*golden/s,
    });
  });

  test('error codes are lower-case words joined by hyphens, each once', () => {
    assert.equal(new Set(ERROR_CODES).size, ERROR_CODES.length);
    for (const code of ERROR_CODES) assert.match(code, /^[a-z]+(-[a-z]+)*$/);
  });
});
