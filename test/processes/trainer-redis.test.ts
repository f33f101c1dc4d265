import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { NewRunBody } from '@atelier/trainer';
import { Redis } from 'ioredis';
import { RedisServer } from '../support/redis-server.ts';
import { attemptsOf, eventsOf } from '../support/run-attempts.ts';
import { type EventStream, TrainerClient } from '../support/trainer-client.ts';
import { describeTrainer, lastingRun, shortRun, type TrainerUnderTest } from '../support/trainer-contract.ts';
import { TrainerPrograms } from '../support/trainer-programs.ts';
import { until } from '../support/until.ts';

/** A service that trains nothing, two workers that train a run each, and a Redis between them. */
async function openOnRedis(): Promise<TrainerUnderTest & { redis: RedisServer }> {
  const redis = await RedisServer.start();
  const programs = await TrainerPrograms.create({ QUEUE_URL: redis.url });
  const close = async () => {
    await programs.close();
    await redis.close();
  };
  try {
    const [victim] = await Promise.all([programs.startWorker(), programs.startWorker(), programs.startService()]);
    return { redis, programs, concurrency: 2, victim, afterKill: () => Promise.resolve(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

describeTrainer('the trainer of a service and two workers (real data)', openOnRedis);

describe('a trainer whose Redis comes and goes (real data)', () => {
  let under: Awaited<ReturnType<typeof openOnRedis>>;
  let client: TrainerClient;
  let stream: EventStream | undefined;
  beforeEach(async () => {
    under = await openOnRedis();
    client = new TrainerClient(() => under.programs.url);
  });
  afterEach(async () => {
    await stream?.close();
    await under.close();
  });

  async function submit(...runs: Partial<NewRunBody>[]): Promise<string[]> {
    const ids: string[] = [];
    for (const run of runs) ids.push(await client.submit(run));
    return ids;
  }

  async function assertFinishedAtOnce(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const { state, error, recoveries } = await client.runOver(id);
      assert.deepEqual([state, error, recoveries], ['finished', null, 0]);
      assert.equal(attemptsOf(await eventsOf(under.programs.directoryOf(id))).length, 1, 'never interrupted');
    }
  }

  async function problemOf(response: Response): Promise<[number, string]> {
    const { type } = (await response.json()) as { type: string };
    return [response.status, type];
  }

  test('goes on with what it trains while Redis is away, refuses what is new, and continues when it is back', async () => {
    const ids = await submit(lastingRun(), lastingRun(), shortRun(), shortRun());
    stream = client.follow(ids[0] ?? '');
    await stream.event('epoch');
    await under.redis.stop();
    const seen = stream.seen.length;
    const unavailable = [503, '/problems/queue-unavailable'];
    assert.deepEqual(await problemOf(await client.post('/runs', shortRun())), unavailable);
    await stream.event('epoch', undefined, seen);
    await until('readiness tells of it', async () => (await client.request('/readyz')).status === 503);
    assert.deepEqual(await problemOf(await client.request('/readyz')), unavailable);
    assert.equal((await client.request('/healthz')).status, 200);
    const { runs } = (await (await client.request('/runs')).json()) as { runs: { id: string }[] };
    assert.deepEqual(runs.map(({ id }) => id).sort(), [...ids].sort(), 'nothing of what was refused is left');
    await pause(3000); // longer than a question waits
    await under.redis.start();
    await assertFinishedAtOnce(ids);
    await assertFinishedAtOnce(await submit(shortRun()));
  });

  test('cancels without Redis, and changes nothing in a run that it cannot queue', async () => {
    const [, , waiting = ''] = await submit(lastingRun(), lastingRun(), shortRun());
    await under.redis.stop();
    assert.equal((await client.cancel(waiting)).state, 'cancelled');
    const resumed = await problemOf(await client.post(`/runs/${waiting}/resume`));
    assert.deepEqual(resumed, [503, '/problems/queue-unavailable']);
    assert.equal((await client.run(waiting)).state, 'cancelled');
    await under.redis.start();
    await until('Redis is found again', async () => (await client.request('/readyz')).status === 200);
    await client.resume(waiting);
    await assertFinishedAtOnce([waiting]);
  });

  test('queues again from their folders the runs that an emptied Redis has forgotten', async () => {
    const ids = await submit(lastingRun(), lastingRun(), shortRun(), shortRun());
    stream = client.follow(ids[0] ?? '');
    await stream.event('epoch');
    const redis = new Redis(under.redis.url);
    try {
      assert.ok((await redis.dbsize()) > 0);
      await redis.flushall();
    } finally {
      redis.disconnect();
    }
    await assertFinishedAtOnce(ids);
  });
});
