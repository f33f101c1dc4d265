import { randomUUID } from 'node:crypto';
import { after, before } from 'node:test';
import { BullmqQueue } from '@atelier/trainer';
import { redisForTests } from '../support/redis-server.ts';
import { describeRunQueue } from '../support/run-queue-contract.ts';

let redis: Awaited<ReturnType<typeof redisForTests>>;
before(async () => void (redis = await redisForTests()));
after(() => redis.close());

describeRunQueue('run queue in Redis', async (options) => {
  const prefix = `atelier-test-${randomUUID()}`;
  const [queue, beside] = [new BullmqQueue(redis.url, { ...options, prefix }), new BullmqQueue(redis.url, { prefix })];
  return {
    queue,
    beside,
    close: async () => {
      await Promise.all([queue.close(), beside.close()]);
      await redis.clean(prefix);
    },
  };
});
