import { EmbeddedQueue } from '@atelier/trainer';
import { describeRunQueue } from '../support/run-queue-contract.ts';

describeRunQueue('run queue in memory', async (options) => {
  const queue = new EmbeddedQueue(options);
  return { queue, beside: queue, close: () => queue.close() };
});
