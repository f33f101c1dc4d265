import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BullmqQueue, queueChecks } from '@atelier/trainer';
import { RedisServer } from '../support/redis-server.ts';

const PASSWORD = 'a-password-of-a-test';

describe('the queue that QUEUE_URL names, by the doctor', () => {
  let redis: RedisServer;
  before(async () => {
    redis = await RedisServer.start(PASSWORD);
  });
  after(() => redis.close());

  const examine = async (queueUrl: string) => {
    const [check] = queueChecks({ queueUrl, queuePrefix: 'atelier' });
    assert.ok(check);
    return check.examine();
  };

  test('that answers and has no worker is a note: nobody would train', async () => {
    const { status, summary, facts } = await examine(redis.url);
    assert.deepEqual([status, facts], ['note', { reachable: true, waiting: 0, workers: 0 }]);
    assert.equal(summary, `Redis at 127.0.0.1:${redis.port}; runs that wait: 0, workers: 0`);
  });

  test('that has a worker is as it should be', async () => {
    const queue = new BullmqQueue(redis.url);
    const worker = await queue.directory.announce({ id: 'one', host: 'left', devices: [] }, 60_000);
    const { status, facts } = await examine(redis.url);
    await worker.close();
    await queue.close();
    assert.deepEqual([status, facts?.['workers']], ['ok', 1]);
  });

  test('that refuses the password, or is not there, is a fault that repeats no password', async () => {
    const wrong = await examine(redis.url.replace(PASSWORD, 'another-password'));
    await redis.stop();
    const gone = await examine(redis.url);
    for (const { status, summary, facts } of [wrong, gone]) {
      assert.deepEqual([status, facts?.['reachable']], ['fault', false], summary);
      assert.match(summary, /^The queue in Redis at 127\.0\.0\.1:\d+ cannot be used: /);
      assert.doesNotMatch(summary, /password-of-a-test|another-password/);
    }
  });
});
