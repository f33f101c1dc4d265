import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { type AnnouncedWorker, BullmqQueue } from '@atelier/trainer';
import { Attendant } from '../support/attendant.ts';
import { ROOT } from '../support/programs.ts';
import { redisForTests } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

describe('the queue in Redis', () => {
  let redis: Awaited<ReturnType<typeof redisForTests>>;
  let prefix: string;
  let queue: BullmqQueue;
  const children: ChildProcess[] = [];
  before(async () => void (redis = await redisForTests()));
  after(() => redis.close());
  beforeEach(() => {
    prefix = `atelier-test-${randomUUID()}`;
    queue = new BullmqQueue(redis.url, { prefix });
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await queue.close();
    await redis.clean(prefix);
  });

  /** A worker in a process of its own, and the run that it attends to. */
  async function workerProcess(id: string): Promise<{ run(): string | null; kill(): Promise<void> }> {
    const child = fork(join(ROOT, 'test', 'support', 'queue-worker.mjs'), [redis.url, prefix, id], {
      execArgv: ['--import', import.meta.resolve('tsx')],
    });
    children.push(child);
    let [run, ready] = [null as string | null, false];
    child.on('message', ({ attendsTo }: { attendsTo: string | null }) => {
      if (attendsTo === null) ready = true;
      else run = attendsTo;
    });
    await until(`worker ${id} starts`, () => ready || child.exitCode !== null, 30_000);
    assert.ok(ready, `worker ${id} ended by ${child.exitCode}`);
    return {
      run: () => run,
      kill: async () => {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      },
    };
  }

  async function living(): Promise<string[]> {
    return (await queue.directory.workers()).map(({ id }) => id);
  }

  test('the run of a worker that was killed goes to another, as often as it happens', async (t) => {
    const workers = await Promise.all([workerProcess('one'), workerProcess('two')]);
    assert.deepEqual(await living(), ['one', 'two']);
    await queue.add('a');
    await until('one attends to it', () => workers.some((worker) => worker.run() === 'a'));
    const [first, second] = workers[0].run() === 'a' ? workers : [workers[1], workers[0]];

    let killed = performance.now();
    await first.kill();
    await until('the other one attends to it', () => second.run() === 'a', 20_000);
    t.diagnostic(`handed on ${Math.round(performance.now() - killed)} ms after the first death`);
    assert.equal((await living()).length, 1);

    const attendant = new Attendant();
    const worker = await queue.work(1, attendant.attend);
    try {
      killed = performance.now();
      await second.kill();
      await until('this one attends to it', () => attendant.running.length === 1, 20_000);
      t.diagnostic(`handed on ${Math.round(performance.now() - killed)} ms after the second death`);
      await attendant.end('a');
      assert.equal(await queue.length(), 0);
      assert.deepEqual(await living(), []);
    } finally {
      attendant.giveUp();
      await worker.close();
    }
  });

  test('lists who announces itself, until it takes that back', async () => {
    const devices = [{ name: 'cpu', threads: 2 }];
    const b = await queue.directory.announce({ id: 'b', host: 'left', devices }, 60_000);
    const a = await queue.directory.announce({ id: 'a', host: 'right', devices: null }, 60_000);
    const strange = { id: 'strange', host: 7 } as unknown as AnnouncedWorker;
    const c = await queue.directory.announce(strange, 60_000);
    assert.deepEqual(await queue.directory.workers(), [
      { id: 'a', host: 'right', devices: null },
      { id: 'b', host: 'left', devices },
    ]);
    await a.close();
    assert.deepEqual(await living(), ['b']);
    await Promise.all([b.close(), c.close()]);
    assert.deepEqual(await living(), []);
  });

  test('queues under different prefixes do not meet', async () => {
    const other = new BullmqQueue(redis.url, { prefix: `${prefix}-other` });
    try {
      await queue.add('a');
      assert.equal(await other.length(), 0);
    } finally {
      await other.close();
    }
  });
});

describe('the URL of a Redis', () => {
  for (const url of ['', 'localhost', 'http://:secret@host', 'redis://:secret@host/name', 'redis://:sec%ret@host']) {
    test(`cannot be "${url}", and is not repeated`, () => {
      const isRight = (error: Error & { code?: string }) =>
        error.code === 'invalid-configuration' && !error.message.includes('sec') && error.cause === undefined;
      assert.throws(() => new BullmqQueue(url), isRight);
    });
  }
});
