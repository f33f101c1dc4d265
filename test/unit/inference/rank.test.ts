import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rank } from '@atelier/inference';

describe('ranking', () => {
  test('names the classes of each row, most probable first, equals by their number', () => {
    const row = Float32Array.from([0.05, 0.4, 0.05, 0, 0, 0, 0, 0, 0, 0.5]);
    const [first, second] = rank(Float32Array.from([...row, ...row.toReversed()]), 3);
    const half = { label: 'Ankle boot', classIndex: 9, probability: 0.5 };
    assert.deepEqual(first, {
      ...half,
      probabilities: [
        half,
        { label: 'Trouser', classIndex: 1, probability: Math.fround(0.4) },
        { label: 'T-shirt/top', classIndex: 0, probability: Math.fround(0.05) },
      ],
    });
    assert.equal(second?.label, 'T-shirt/top');
  });
});
