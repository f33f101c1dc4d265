import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judge, judgeAll } from '@atelier/inference';
import { trustOf } from '../../../support/trust.ts';

describe('what a version says of its own answer', () => {
  const trust = trustOf({ confidence: 0.6, outlier: 2 });

  test('is that the confidence is low where it is below the threshold, not where it equals it', () => {
    assert.deepEqual(judge(trust, 0.59, 0), { lowConfidence: true, outlierScore: 0, abstain: true });
    assert.deepEqual(judge(trust, 0.6, 0), { lowConfidence: false, outlierScore: 0, abstain: false });
  });

  test('is that it abstains from an outlier, however confident it is, and not where the score equals the threshold', () => {
    assert.deepEqual(judge(trust, 1, 2.5), { lowConfidence: false, outlierScore: 2.5, abstain: true });
    assert.equal(judge(trust, 1, 2).abstain, false);
  });

  test('goes by the largest probability of each image', () => {
    const probabilities = Float32Array.from([0.5, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.25, 0.75]);
    const outputs = { logits: new Float32Array(20), probabilities, outlierScores: Float32Array.from([1, 3]) };
    assert.deepEqual(judgeAll({ trust }, outputs), [
      { lowConfidence: true, outlierScore: 1, abstain: true },
      { lowConfidence: false, outlierScore: 3, abstain: true },
    ]);
  });

  test('is nothing where the version has no thresholds', () => {
    const outputs = { logits: new Float32Array(10), probabilities: new Float32Array(10) };
    assert.equal(judgeAll({}, outputs), undefined);
  });
});
