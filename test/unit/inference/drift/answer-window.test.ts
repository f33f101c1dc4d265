import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLASS_COUNT } from '@atelier/domain';
import { AnswerWindow } from '@atelier/inference';
import fc from 'fast-check';

const EDGES = [0.5, 0.9];

/** Probabilities that name a class with a confidence. */
function answer(index: number, confidence: number): Float32Array {
  const rest = (1 - confidence) / (CLASS_COUNT - 1);
  return Float32Array.from({ length: CLASS_COUNT }, (_, each) => (each === index ? confidence : rest));
}

describe('the window of the last answers', () => {
  test('counts them by class, by confidence and by whether they are to be believed', () => {
    const window = new AnswerWindow({ answers: 10, ageMs: 1000 }, EDGES);
    window.add(0, answer(3, 0.4), true);
    window.add(1, answer(3, 0.5), false);
    window.add(2, answer(7, 0.95), false);
    assert.deepEqual([window.classes[3], window.classes[7]], [2, 1]);
    assert.deepEqual([...window.confidences], [1, 1, 1], 'an edge belongs to the bin above it');
    assert.deepEqual([window.count, window.abstained, window.since], [3, 1, 0]);
  });

  test('forgets the oldest for a new one where it is full', () => {
    const window = new AnswerWindow({ answers: 2, ageMs: 1000 }, EDGES);
    for (const [time, index] of [0, 1, 2].entries()) window.add(time, answer(index, 0.6), index === 0);
    assert.deepEqual([...window.classes.slice(0, 3)], [0, 1, 1]);
    assert.deepEqual([window.count, window.abstained, window.since], [2, 0, 1]);
  });

  test('forgets what is older than it may be, also without a new one', () => {
    const window = new AnswerWindow({ answers: 10, ageMs: 1000 }, EDGES);
    window.add(0, answer(0, 0.6), false);
    window.add(500, answer(1, 0.6), false);
    window.add(1001, answer(2, 0.6), false);
    assert.deepEqual([...window.classes.slice(0, 3)], [0, 1, 1]);
    window.expire(1501);
    assert.deepEqual([window.count, window.since], [1, 1001]);
    window.expire(9999);
    assert.deepEqual([window.count, window.since], [0, undefined]);
    assert.ok([...window.classes, ...window.confidences].every((count) => count === 0));
  });

  test('counts what a list of the same answers has, whatever comes', () => {
    const arrivals = fc.array(
      fc.record({
        wait: fc.nat(400),
        index: fc.nat(CLASS_COUNT - 1),
        confidence: fc.constantFrom(0.3, 0.5, 0.7, 0.9, 1),
        isAbstained: fc.boolean(),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 7 }), (given, answers) => {
        const window = new AnswerWindow({ answers, ageMs: 1000 }, EDGES);
        let now = 0;
        const all = given.map((each) => ({ ...each, time: (now += each.wait) }));
        for (const { time, index, confidence, isAbstained } of all)
          window.add(time, answer(index, confidence), isAbstained);
        const kept = all.filter(({ time }) => time >= now - 1000).slice(-answers);
        assert.equal(window.count, kept.length);
        assert.equal(window.abstained, kept.filter(({ isAbstained }) => isAbstained).length);
        const expected = Array.from(
          { length: CLASS_COUNT },
          (_, index) => kept.filter((each) => each.index === index).length,
        );
        assert.deepEqual([...window.classes], expected);
        assert.equal(window.since, kept[0]?.time);
      }),
    );
  });
});
