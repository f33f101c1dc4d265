// A worker of the queue in Redis that announces itself and never ends a run, to be killed in the middle of one.
import { BullmqQueue } from '@atelier/trainer';

const [url, prefix, id] = process.argv.slice(2);
if (url === undefined || id === undefined) throw new Error('Expected the URL of a Redis, a prefix and an id.');

const queue = new BullmqQueue(url, { prefix: prefix ?? '' });
await queue.directory.announce({ id, host: 'here', devices: ['cpu'] }, 300);
await queue.work(1, async (run) => {
  process.send?.({ attendsTo: run });
  return new Promise(() => undefined);
});
process.send?.({ attendsTo: null });
