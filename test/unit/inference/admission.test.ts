import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { DomainError } from '@atelier/domain';
import { Admission } from '@atelier/inference';
import { FakeClock } from '../../support/fake-clock.ts';

const LIMITS = { maximumQueue: 8, maximumWaitMs: 5_000, alwaysTaken: 1 };

describe('admission', () => {
  let clock: FakeClock;
  let admission: Admission;
  /** Ends what is inside, the oldest first. */
  let ends: (() => void)[];
  beforeEach(() => {
    clock = new FakeClock();
    admission = new Admission(LIMITS, clock);
    ends = [];
  });

  const enter = (count = 1) => {
    const done = admission.enter(count, () => new Promise<void>((resolve) => ends.push(resolve)));
    done.catch(() => undefined);
    return done;
  };
  const endOne = async () => {
    ends.shift()?.();
    await clock.turn();
  };
  /** One thing a `ms`, until the rate is known. */
  async function measure(ms: number): Promise<void> {
    for (let passed = 0; passed < 300; passed += ms) {
      const done = enter();
      await clock.advance(ms);
      await endOne();
      await done;
    }
  }

  test('of 10 requests refuses exactly the 2 for which there is no room', async () => {
    let refused = 0;
    const count = (error: unknown) => {
      assert.equal((error as DomainError).code, 'overloaded');
      refused++;
    };
    for (let request = 0; request < 10; request++) enter().catch(count);
    await clock.turn();
    assert.equal(refused, 2);
    assert.equal(admission.pending, 8);
    assert.equal(ends.length, 8, 'and the refused never begin');
    await endOne();
    void enter();
    assert.equal(admission.pending, 8);
  });

  test('says how near it is to refusing: by the number of images while it knows no rate', () => {
    assert.equal(admission.ratio, 0);
    void enter(2);
    assert.equal(admission.ratio, 2 / 8);
  });

  test('and by the time that they are expected to wait, where that limit is nearer', async () => {
    await measure(2_000);
    assert.equal(admission.ratio, 0);
    void enter();
    void enter();
    assert.equal(admission.ratio, 4_000 / 5_000);
    void enter();
    assert.equal(admission.ratio, 6_000 / 5_000);
    await assert.rejects(enter(), { code: 'overloaded' });
  });

  test('counts images, and lets a large request in where nothing else is', async () => {
    void enter(9);
    assert.equal(admission.pending, 9);
    await assert.rejects(enter(), { code: 'overloaded' });
    await endOne();
    void enter(5);
    await assert.rejects(enter(4), { code: 'overloaded' });
    void enter(3);
    assert.equal(admission.pending, 8);
  });

  test('lets the rest of a request in that it has begun, and counts it', async () => {
    void enter(8);
    void admission.enter(1, () => new Promise<void>((resolve) => ends.push(resolve)), true);
    assert.equal(admission.pending, 9);
    await assert.rejects(enter(), { code: 'overloaded' });
  });

  test('gives back the room of what failed', async () => {
    const failing = admission.enter(8, () => Promise.reject(new Error('broken')));
    await assert.rejects(failing, { message: 'broken' });
    assert.equal(admission.pending, 0);
    admission.check(8);
  });

  test('refuses what would wait too long at the measured rate, before the queue is full', async () => {
    await measure(2_000);
    for (let count = 0; count < 3; count++) void enter();
    assert.throws(() => admission.check(), { code: 'overloaded', message: '3 images wait; come back in 6 s.' });
  });

  test('lets one in at any rate, so that the rate can be measured again', async () => {
    await measure(60_000);
    admission.check();
    void enter();
    assert.throws(() => admission.check(), { code: 'overloaded' });
  });

  test('lets in at any rate what all that work have in hand, so that refusing cannot crowd the work out', async () => {
    admission = new Admission({ ...LIMITS, alwaysTaken: 4 }, clock);
    await measure(60_000);
    for (let count = 0; count < 4; count++) {
      admission.check();
      void enter();
    }
    assert.throws(() => admission.check(), { code: 'overloaded' });
  });

  test('says when to come back: what waits, at the measured rate, from 1 to 60 s', async () => {
    const retryAfter = () => {
      try {
        admission.check(100);
      } catch (error) {
        return (error as { retryAfterSeconds: number }).retryAfterSeconds;
      }
      return undefined;
    };
    void enter();
    assert.equal(retryAfter(), 1, 'nothing was measured');
    await clock.advance(400);
    await endOne();
    for (let count = 0; count < 8; count++) void enter();
    assert.equal(retryAfter(), 4, '8 at 0.4 s each, in whole seconds');
    while (ends.length > 0) await endOne();
    await measure(100_000);
    void enter();
    assert.equal(retryAfter(), 60);
  });

  test('recovers when everything was given up for a while', async () => {
    await measure(1);
    for (let count = 0; count < 100; count++) {
      const given = admission.enter(1, () => clock.advance(100).then(() => Promise.reject(new Error('gone'))));
      await assert.rejects(given, { message: 'gone' });
    }
    await measure(1);
    for (let count = 0; count < 7; count++) void enter();
    admission.check();
  });
});
