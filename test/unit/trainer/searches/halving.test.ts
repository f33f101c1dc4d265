import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ladder, nextStep, scoreAt, type TrialProgress } from '@atelier/trainer';

const RUNGS = { rungs: [1, 3, 9], reduction: 3 };

/** A trial that waits at a rung with one accuracy; `change` replaces whole fields. */
function trial(number: number, accuracy: number, change: Partial<TrialProgress> = {}): TrialProgress {
  const validation = [{ epoch: 1, accuracy, loss: 1 - accuracy }];
  return { number, standing: 'paused', untilEpoch: 1, validation, ...change };
}
const straggler = (number: number) => trial(number, 0, { standing: 'outstanding', validation: [] });

describe('rungs', () => {
  test('rise by the reduction and end with the epochs of the recipe', () => {
    assert.deepEqual(ladder(27, { reduction: 3, minimumEpochs: 1 }).rungs, [1, 3, 9, 27]);
    assert.deepEqual(ladder(7, { reduction: 3, minimumEpochs: 1 }).rungs, [1, 3, 7]);
    assert.deepEqual(ladder(30, { reduction: 2, minimumEpochs: 4 }).rungs, [4, 8, 16, 30]);
  });

  test('leave one out that would cost nearly as much as the end', () => {
    assert.deepEqual(ladder(10, { reduction: 3, minimumEpochs: 1 }).rungs, [1, 3, 10]);
  });

  test('are the end alone without halving, and where the recipe is shorter than the lowest', () => {
    assert.deepEqual(ladder(7, null).rungs, [7]);
    assert.deepEqual(ladder(2, { reduction: 3, minimumEpochs: 5 }).rungs, [2]);
  });
});

describe('the next step of successive halving', () => {
  test('starts trials first, in their order, even where one could be promoted', () => {
    const trials = [trial(1, 0.9), trial(2, 0.1), trial(3, 0.1), straggler(4)];
    const unstarted = [5, 6].map((number) => trial(number, 0, { standing: 'unstarted', untilEpoch: 0 }));
    assert.deepEqual(nextStep([...trials, ...unstarted], RUNGS), { kind: 'start', trial: 5, untilEpoch: 1 });
  });

  test('promotes the best third of those that reported while others are still on their way', () => {
    const reported = [trial(1, 0.3), trial(2, 0.9), trial(3, 0.6)];
    assert.deepEqual(nextStep([...reported, straggler(4)], RUNGS), { kind: 'promote', trial: 2, untilEpoch: 3 });
    assert.deepEqual(nextStep([...reported.slice(0, 2), straggler(3), straggler(4)], RUNGS), { kind: 'wait' });
  });

  test('promotes one of two when no more can arrive', () => {
    assert.deepEqual(nextStep([trial(1, 0.3), trial(2, 0.9)], RUNGS), { kind: 'promote', trial: 2, untilEpoch: 3 });
  });

  test('breaks ties by the lower loss, then by the lower number', () => {
    const withLoss = (number: number, loss: number) =>
      trial(number, 0, { validation: [{ epoch: 1, accuracy: 0.5, loss }] });
    const chosen = (trials: TrialProgress[]) => nextStep(trials, RUNGS);
    assert.deepEqual(chosen([withLoss(1, 0.4), withLoss(2, 0.3)]), { kind: 'promote', trial: 2, untilEpoch: 3 });
    assert.deepEqual(chosen([withLoss(2, 0.3), withLoss(1, 0.3)]), { kind: 'promote', trial: 1, untilEpoch: 3 });
  });

  test('serves the lowest rung first', () => {
    const above = [1, 2, 3].map((number) => trial(number, 0.9, { untilEpoch: 3 }));
    const below = Array.from({ length: 9 }, (_, index) => trial(index + 4, 0.5));
    // Twelve reported at epoch 1: four places, three of them taken.
    assert.deepEqual(nextStep([...above, ...below], RUNGS), { kind: 'promote', trial: 4, untilEpoch: 3 });
  });

  test('counts a failed trial as the worst, not as missing', () => {
    const failed = [4, 5, 6].map((number) => trial(number, 0.99, { standing: 'failed' }));
    const gone = trial(1, 0.9, { untilEpoch: 3, standing: 'outstanding' });
    // Six reported, so two go on; without the failed ones it would be one.
    assert.deepEqual(nextStep([gone, trial(2, 0.7), trial(3, 0.8), ...failed], RUNGS), {
      kind: 'promote',
      trial: 3,
      untilEpoch: 3,
    });
    assert.deepEqual(nextStep([{ ...gone, untilEpoch: 9 }, trial(2, 0.7), ...failed], RUNGS), { kind: 'wait' });
  });

  test('sends the next best where all that went on have failed, and ends where nobody is left', () => {
    const failed = trial(1, 0.9, { untilEpoch: 3, standing: 'failed' });
    assert.deepEqual(nextStep([failed, trial(2, 0.7), trial(3, 0.8)], RUNGS), {
      kind: 'promote',
      trial: 3,
      untilEpoch: 3,
    });
    assert.deepEqual(nextStep([failed, { ...failed, number: 2 }], RUNGS), { kind: 'over' });
  });

  test('takes a trial that stopped early along to the next rung without training it, as one of those that go on', () => {
    const ended = trial(1, 0.9, { standing: 'ended' });
    // It has the only place of three, and so is the one that comes to the end.
    assert.deepEqual(nextStep([ended, trial(2, 0.7), trial(3, 0.8)], RUNGS), { kind: 'over' });
    assert.deepEqual(nextStep([{ ...ended, validation: [] }, trial(2, 0.7), trial(3, 0.8)], RUNGS), {
      kind: 'promote',
      trial: 3,
      untilEpoch: 3,
    });
  });

  test('never leaves a trial of the last rung anything to do', () => {
    assert.deepEqual(nextStep([trial(1, 0.9, { untilEpoch: 9, standing: 'ended' })], RUNGS), { kind: 'over' });
    assert.deepEqual(nextStep([trial(1, 0.9, { untilEpoch: 9, standing: 'outstanding' })], RUNGS), { kind: 'wait' });
  });
});

describe('the score of a trial', () => {
  const validation = [
    { epoch: 1, accuracy: 0.7, loss: 0.9 },
    { epoch: 2, accuracy: 0.8, loss: 0.5 },
    { epoch: 3, accuracy: 0.8, loss: 0.4 },
    { epoch: 4, accuracy: 0.6, loss: 0.3 },
    { epoch: 5, accuracy: 0.9, loss: 0.3 },
  ];

  test('is its best accuracy up to an epoch, not that of the epoch and none after it', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 9].map((epoch) => scoreAt(validation, epoch)?.epoch ?? null),
      [null, 1, 2, 3, 3, 5, 5],
    );
  });
});
