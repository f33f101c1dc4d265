import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { DrainRate } from '@atelier/inference';
import { FakeClock } from '../../support/fake-clock.ts';

describe('the rate at which things are done', () => {
  let clock: FakeClock;
  let rate: DrainRate;
  beforeEach(() => {
    clock = new FakeClock();
    rate = new DrainRate(clock);
  });

  /** `count` things one after the other, each of which takes `eachMs`, while others wait; the last leaves nothing. */
  async function work(count: number, eachMs: number): Promise<void> {
    rate.began();
    for (let left = count - 1; left >= 0; left--) {
      await clock.advance(eachMs);
      rate.completed(1, left);
    }
  }

  const close = (actual: number, expected: number) =>
    assert.ok(Math.abs(actual / expected - 1) < 0.01, `${actual}, not ${expected}`);

  test('is unknown, and expects nothing, before things were done for a while', async () => {
    assert.equal(rate.expectedMs(1000), 0);
    await work(29, 10);
    assert.equal(rate.expectedMs(1000), 0);
    await work(20, 10);
    close(rate.expectedMs(50), 500);
  });

  test('leaves out the time in which there was nothing to do', async () => {
    await work(50, 10);
    await clock.advance(3_600_000);
    await work(50, 10);
    close(rate.expectedMs(1), 10);
  });

  test('is measured of things that come one at a time, too', async () => {
    for (let index = 0; index < 500; index++) {
      await clock.advance(1000);
      await work(1, 1);
    }
    close(rate.expectedMs(1), 1);
  });

  test('follows a change within seconds', async () => {
    await work(1000, 1);
    await work(400, 10);
    assert.ok(rate.expectedMs(1) > 9, `${rate.expectedMs(1)}`);
  });

  test('recovers within seconds after everything was given up', async () => {
    await work(1000, 1);
    rate.began();
    for (let index = 0; index < 100; index++) {
      await clock.advance(100);
      rate.completed(0, 1);
    }
    assert.ok(rate.expectedMs(1) > 10_000, 'nothing was done for ten seconds');
    await work(5000, 1);
    assert.ok(rate.expectedMs(1) < 1.1, `${rate.expectedMs(1)}`);
  });
});
