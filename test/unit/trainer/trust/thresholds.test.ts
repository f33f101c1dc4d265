import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLASS_COUNT } from '@atelier/domain';
import { fittedTrust } from '@atelier/trainer';
import fc from 'fast-check';

interface Answer {
  confidence: number;
  isRight: boolean;
  score: number;
}

/** Each answer names class 2 and has its confidence there; the rest is spread. */
function fitted(answers: readonly Answer[]) {
  return fittedTrust({
    probabilities: Float32Array.from(
      answers.flatMap(({ confidence }) =>
        Array.from({ length: CLASS_COUNT }, (_, index) => (index === 2 ? confidence : (1 - confidence) / 9)),
      ),
    ),
    outlierScores: Float32Array.from(answers, ({ score }) => score),
    labels: Uint8Array.from(answers, ({ isRight }) => (isRight ? 2 : 3)),
  });
}

/** `count` answers of a kind. */
const some = (count: number, confidence: number, isRight: boolean): Answer[] =>
  Array.from({ length: count }, (_, index) => ({ confidence, isRight, score: index }));

const anyAnswers = fc.array(
  fc.record({
    confidence: fc.float({ min: 0.25, max: 1, noNaN: true }),
    isRight: fc.boolean(),
    score: fc.float({ noNaN: true, noDefaultInfinity: true }),
  }),
  { minLength: 1, maxLength: 60 },
);

describe('the threshold of the outlier score', () => {
  test('lets at least 95 % of the validation images pass, and is the lowest score that does', () => {
    const trust = fitted(Array.from({ length: 200 }, (_, index) => ({ confidence: 0.9, isRight: true, score: index })));
    assert.deepEqual(trust.outliers, { threshold: 189, passRate: 0.95 });
    fc.assert(
      fc.property(anyAnswers, (answers) => {
        const { threshold, passRate } = fitted(answers).outliers;
        assert.equal(passRate, answers.filter(({ score }) => score <= threshold).length / answers.length);
        assert.ok(passRate >= 0.95);
        assert.ok(answers.filter(({ score }) => score < threshold).length < 0.95 * answers.length);
      }),
    );
  });
});

describe('the threshold of the confidence', () => {
  test('is the lowest with which the answers that are left are right in 95 of 100 cases', () => {
    const trust = fitted([...some(40, 0.4, false), ...some(100, 0.75, true), ...some(5, 0.75, false)]);
    const { threshold, accuracy, passRate } = trust.confidence;
    assert.equal(threshold, 0.75);
    assert.equal(accuracy, 100 / 105);
    assert.equal(passRate, 105 / 145);
  });

  test('is 0 for a network that needs none, and 1 where no confidence will do', () => {
    assert.equal(fitted(some(50, 0.5, true)).confidence.threshold, 0);
    const hopeless = fitted(some(50, 0.5, false)).confidence;
    assert.deepEqual([hopeless.threshold, hopeless.accuracy, hopeless.passRate], [1, null, 0]);
  });

  test('is met by what it says of the answers above it, whatever they are', () => {
    fc.assert(
      fc.property(anyAnswers, (answers) => {
        const { threshold, accuracy, passRate } = fitted(answers).confidence;
        const kept = answers.filter(({ confidence }) => confidence >= threshold);
        assert.equal(passRate, kept.length / answers.length);
        assert.equal(accuracy, kept.length === 0 ? null : kept.filter(({ isRight }) => isRight).length / kept.length);
        assert.ok(threshold === 1 || (accuracy ?? 0) >= 0.95);
      }),
    );
  });
});

describe('what answers look like', () => {
  test('has a tenth of the answers in each of ten bins of the confidence where no two are alike', () => {
    const answers = Array.from({ length: 1000 }, (_, index) => ({
      confidence: 0.3 + index / 2000,
      isRight: true,
      score: 0,
    }));
    const { reference } = fitted(answers);
    assert.equal(reference.count, 1000);
    assert.deepEqual(reference.confidenceShares, new Array<number>(10).fill(0.1));
    assert.deepEqual(reference.classShares, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('has fewer bins where many are alike, and shares that sum to 1', () => {
    fc.assert(
      fc.property(anyAnswers, (answers) => {
        const { confidenceEdges, confidenceShares } = fitted(answers).reference;
        assert.equal(confidenceShares.length, confidenceEdges.length + 1);
        assert.ok(Math.abs(confidenceShares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9);
        assert.deepEqual(
          confidenceEdges,
          [...new Set(confidenceEdges)].sort((a, b) => a - b),
        );
      }),
    );
  });
});
