import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { BullmqQueue, type QueueWorker } from '@atelier/trainer';
import { Attendant } from '../support/attendant.ts';
import { RedisServer } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const PASSWORD = 'p@ss/word:1';

describe('the queue in a Redis that comes and goes', () => {
  let redis: RedisServer;
  let faults: string[];
  let queue: BullmqQueue;
  let attendant: Attendant;
  let workers: QueueWorker[];
  beforeEach(async () => {
    redis = await RedisServer.start(PASSWORD);
    faults = [];
    workers = [];
    attendant = new Attendant();
    queue = new BullmqQueue(redis.url, { busyDelayMs: 100, onFault: (message) => faults.push(message) });
  });
  afterEach(async () => {
    attendant.giveUp();
    await Promise.all(workers.map((worker) => worker.close()));
    await queue.close();
    await redis.close();
  });

  async function work(concurrency: number): Promise<QueueWorker> {
    const worker = await queue.work(concurrency, attendant.attend);
    workers.push(worker);
    return worker;
  }

  async function assertUnavailable(reason: RegExp, of = queue): Promise<void> {
    const calls = [of.add('a'), of.remove('a'), of.length(), of.directory.workers()];
    const start = performance.now();
    await Promise.all(
      calls.map((call) =>
        assert.rejects(call, (error: Error & { code?: string }) => {
          assert.equal(error.code, 'queue-unavailable');
          assert.match(error.message, reason);
          assert.ok(error.message.includes(`127.0.0.1:${redis.port}`), error.message);
          assert.ok(!JSON.stringify([error, error.message, error.stack]).includes(PASSWORD), 'the password shows');
          return true;
        }),
      ),
    );
    assert.ok(performance.now() - start < 10_000, 'it took long to say so');
  }

  const isBack = () =>
    until('Redis is back', () =>
      queue.length().then(
        () => true,
        () => false,
      ),
    );
  /** The first question may find a connection in the middle of its end. */
  const isAway = () =>
    until('Redis is missed', () =>
      queue.length().then(
        () => false,
        (error: Error) => error.message.includes('ECONNREFUSED'),
      ),
    );
  const outages = () => faults.filter((message) => message.includes('cannot be reached'));

  test('says that it is unavailable, and works once Redis comes', async () => {
    await redis.stop();
    const early = new BullmqQueue(redis.url);
    try {
      await assertUnavailable(/ECONNREFUSED/, early);
      const announced = await early.directory.announce({ id: 'early', host: 'here', devices: null }, 100);
      workers.push(await early.work(1, attendant.attend));
      await redis.start();
      await until('it is announced', () =>
        early.directory.workers().then(
          (living) => living.length === 1,
          () => false,
        ),
      );
      await announced.close();
      assert.equal(await early.length(), 0, 'what was said to have failed was not done later');
      await early.add('b');
      await attendant.end('b');
    } finally {
      attendant.giveUp();
      await workers.pop()?.close();
      await early.close();
    }
  });

  test('its workers go on by themselves after Redis was away, and each outage is told of once', async () => {
    await work(2);
    await queue.add('a');
    await attendant.run('a');
    await redis.stop();
    await isAway();
    await assertUnavailable(/ECONNREFUSED/);
    assert.equal((await attendant.run('a')).signal.aborted, false, 'what is attended to goes on');
    await redis.start();
    await isBack();
    await queue.add('b');
    await attendant.end('b');
    await attendant.end('a');
    await queue.add('a');
    await attendant.end('a');
    assert.equal(outages().length, 1, faults.join('\n'));

    await redis.stop();
    await until('the second outage is told of', () => outages().length === 2);
    await redis.start();
    await isBack();
    await queue.add('c');
    await attendant.end('c');
    assert.equal(outages().length, 2, faults.join('\n'));
    assert.ok(!faults.join().includes(PASSWORD));
  });

  test('does not hand a run to a worker that attends to it, even if Redis has forgotten that', async () => {
    await work(2);
    await queue.add('a');
    await attendant.run('a');
    await redis.stop();
    await redis.start();
    await isBack();
    await queue.add('a');
    await queue.add('b');
    await attendant.end('b');
    assert.deepEqual(attendant.started, ['a', 'b']);
    await attendant.end('a');
    await attendant.end('a');
  });

  test('is unavailable while Redis does not answer', async () => {
    assert.equal(await queue.length(), 0);
    redis.pause();
    try {
      await assertUnavailable(/no answer within 2000 ms/);
    } finally {
      redis.goOn();
    }
    await isBack();
  });

  test('is unavailable with a wrong password', async () => {
    const url = redis.url.replace(encodeURIComponent(PASSWORD), 'wrong-one');
    const stranger = new BullmqQueue(url, { onFault: (message) => faults.push(message) });
    try {
      await assertUnavailable(/WRONGPASS/, stranger);
      assert.equal(outages().length, 1, faults.join('\n'));
      assert.ok(!faults.join().includes('wrong-one'));
    } finally {
      await stranger.close();
    }
  });

  test('a worker closes without Redis, whether it has ever had one or not', async () => {
    const worker = await work(1);
    await queue.add('a');
    const { signal } = await attendant.run('a');
    await redis.stop();
    const late = new BullmqQueue(redis.url);
    const never = await late.work(1, attendant.attend);
    let closed = 0;
    const closing = [worker.close(), never.close()].map((close) => close.then(() => closed++));
    await until('the run is aborted', () => signal.aborted);
    attendant.endAll();
    await until('both are closed', () => closed === 2);
    await Promise.all(closing);
    await late.close();
  });
});
