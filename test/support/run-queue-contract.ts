import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Attend, QueueWorker, RunQueue, RunQueueOptions } from '@atelier/trainer';
import { Attendant } from './attendant.ts';
import { until } from './until.ts';

/** An empty queue for one test, and the same as another process sees it. */
export interface QueueUnderTest {
  readonly queue: RunQueue;
  readonly beside: RunQueue;
  close(): Promise<void>;
}

/** What every queue of runs keeps. */
export function describeRunQueue(title: string, open: (options: RunQueueOptions) => Promise<QueueUnderTest>): void {
  describe(title, () => {
    let under: QueueUnderTest;
    let queue: RunQueue;
    let attendant: Attendant;
    let workers: QueueWorker[];
    let faults: string[];

    beforeEach(async () => {
      faults = [];
      workers = [];
      attendant = new Attendant();
      under = await open({ busyDelayMs: 100, onFault: (message) => faults.push(message) });
      ({ queue } = under);
    });
    afterEach(async () => {
      attendant.giveUp();
      await Promise.all(workers.map((worker) => worker.close()));
      await under.close();
    });

    async function work(concurrency: number, attend: Attend = attendant.attend, on = queue): Promise<QueueWorker> {
      const worker = await on.work(concurrency, attend);
      workers.push(worker);
      return worker;
    }
    async function add(...ids: string[]): Promise<void> {
      for (const id of ids) await queue.add(id);
    }

    test('hands runs out in the order in which they came', async () => {
      const ids = ['c', 'a:1', '7', 'b']; // BullMQ would refuse the second and the third as ids of its own
      await add(...ids);
      await work(1);
      for (const id of ids) await attendant.end(id);
      assert.deepEqual(attendant.started, ids);
      assert.equal(await queue.length(), 0);
    });

    test('hands out what comes while a worker waits', async () => {
      await work(1);
      await under.beside.add('late');
      await attendant.end('late');
      await queue.add('later');
      await attendant.end('later');
    });

    test('attends to as many at a time as it was told, and the others wait', async () => {
      await add('a', 'b', 'c', 'd', 'e');
      await work(2);
      await attendant.run('a');
      await attendant.run('b');
      assert.equal(await queue.length(), 3);
      await attendant.end('b');
      await attendant.run('c');
      assert.equal(await queue.length(), 2);
      assert.deepEqual(attendant.started, ['a', 'b', 'c']);
      assert.equal(attendant.running.length, 2);
    });

    test('does not add a run that waits', async () => {
      await add('a', 'b', 'a');
      await under.beside.add('b');
      assert.equal(await queue.length(), 2);
      await add('last');
      await work(1);
      for (const id of ['a', 'b', 'last']) await attendant.end(id);
      assert.deepEqual(attendant.started, ['a', 'b', 'last']);
    });

    test('hands a run out once more when it is added while it is attended to, however often', async () => {
      await work(2);
      await queue.add('a');
      const { signal } = await attendant.run('a');
      await queue.add('a');
      await under.beside.add('a');
      await queue.add('b'); // there is a place for it
      await attendant.end('b');
      assert.deepEqual(attendant.started, ['a', 'b'], 'not while it is attended to');
      assert.equal(signal.aborted, false);
      await attendant.end('a');
      await attendant.end('a');
      await queue.add('c');
      await attendant.end('c');
      assert.deepEqual(attendant.started, ['a', 'b', 'a', 'c']);
      assert.equal(await queue.length(), 0);
    });

    test('hands a run out again that its own attendant adds', async () => {
      let attempts = 0;
      await work(1, async (id) => {
        attempts++;
        if (attempts < 3) await queue.add(id);
        return 'done';
      });
      await queue.add('a');
      await until('three attempts', () => attempts === 3);
      await until('an empty queue', async () => (await queue.length()) === 0);
    });

    test('takes a run out that waits, and no other', async () => {
      await add('a', 'b', 'c');
      await queue.remove('b');
      await queue.remove('unknown');
      assert.equal(await queue.length(), 2);
      await work(1);
      await attendant.run('a');
      await queue.remove('a');
      assert.equal((await attendant.run('a')).signal.aborted, false, 'what is attended to goes on');
      await attendant.end('a');
      await attendant.end('c');
      assert.deepEqual(attendant.started, ['a', 'c']);
      await queue.add('b');
      await attendant.end('b');
    });

    test('asks for a busy run again, and goes on with the others meanwhile', async () => {
      await add('busy', 'b');
      await work(1);
      await attendant.end('busy', 'busy');
      await attendant.run('b');
      assert.equal(await queue.length(), 1, 'the busy one waits');
      await queue.add('busy');
      assert.equal(await queue.length(), 1, 'and is not added again');
      await attendant.end('b');
      await attendant.end('busy', 'busy');
      await attendant.end('busy');
      await add('last');
      await attendant.end('last');
      assert.deepEqual(attendant.started, ['busy', 'b', 'busy', 'busy', 'last']);
    });

    test('takes a busy run out', async () => {
      await add('busy', 'b');
      await work(1);
      await attendant.end('busy', 'busy');
      await attendant.run('b');
      await queue.remove('busy');
      assert.equal(await queue.length(), 0);
      await attendant.end('b');
      await queue.add('last');
      await attendant.end('last');
      assert.deepEqual(attendant.started, ['busy', 'b', 'last']);
    });

    test('goes on after an attendant that rejects, and tells of it', async () => {
      await add('a', 'b');
      await work(1);
      (await attendant.run('a')).fail(new Error('the disk is gone'));
      await attendant.end('b');
      assert.equal(await queue.length(), 0);
      assert.deepEqual(faults, ['Run a could not be attended to: the disk is gone']);
      await queue.add('a');
      await attendant.end('a');
    });

    test('a worker that closes aborts what it attends to, waits for its end and takes no more', async () => {
      await add('a', 'b', 'c');
      const worker = await work(2);
      const a = await attendant.run('a');
      const b = await attendant.run('b');
      let closed = false;
      const closing = worker.close().then(() => (closed = true));
      await until('both are aborted', () => a.signal.aborted && b.signal.aborted);
      a.end('done');
      await until('a ends', () => attendant.running.length === 1);
      assert.equal(closed, false);
      await queue.add('b'); // as an attendant does that wants to go on later
      b.end('done');
      await closing;
      assert.deepEqual(attendant.started, ['a', 'b']);
      assert.equal(await queue.length(), 2);
      await work(1);
      await attendant.end('c');
      await attendant.end('b');
      assert.deepEqual(attendant.started, ['a', 'b', 'c', 'b']);
    });

    test('takes and loses no run while it closes', async () => {
      const [started, late]: [string[], string[]] = [[], []];
      let closing = false;
      const attend: Attend = async (id) => {
        (closing ? late : started).push(id);
        return 'done';
      };
      const rounds = 30;
      for (let round = 0; round < rounds; round++) {
        await add(`run-${round}`);
        const worker = await work(1, attend);
        await new Promise((resolve) => setTimeout(resolve, round / 2)); // somewhere between connecting and the end
        closing = true;
        await worker.close();
        closing = false;
      }
      assert.deepEqual(late, []);
      assert.equal(started.length + (await queue.length()), rounds);
      await work(1, attend);
      await until('the rest is handed out', () => started.length === rounds);
      assert.equal(new Set(started).size, rounds);
    });

    test('two workers share the runs, and none goes to both', async () => {
      const other = new Attendant();
      await work(2);
      await work(2, other.attend, under.beside);
      const ids = Array.from({ length: 12 }, (_, index) => `run-${index}`);
      await add(...ids);
      try {
        await until('both are at work', () => attendant.running.length === 2 && other.running.length === 2);
        assert.equal(await queue.length(), 8);
        await until('all were handed out', () => {
          attendant.endAll();
          other.endAll();
          return attendant.started.length + other.started.length >= ids.length;
        });
      } finally {
        other.giveUp();
      }
      assert.deepEqual([...attendant.started, ...other.started].sort(), ids.sort());
    });

    test('a run that is added while one worker attends to it does not go to the other', async () => {
      const other = new Attendant();
      await work(1);
      await queue.add('a');
      await attendant.run('a');
      const second = await work(1, other.attend, under.beside);
      try {
        await under.beside.add('a');
        await under.beside.add('b');
        await other.end('b');
        assert.deepEqual(other.started, ['b']);
        await second.close();
        await attendant.end('a');
        await attendant.end('a');
      } finally {
        other.giveUp();
      }
    });
  });
}
