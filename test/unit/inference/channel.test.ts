import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { duplexPair } from 'node:stream';
import { describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Channel, type Frame, readFrames, waitedForCoreMs, writeFrame } from '@atelier/inference';
import { until } from '../../support/until.ts';

interface Question {
  id: number;
  kind: string;
}

const PING = 'ping';
const LIMIT_MS = 300;

/** Answers everything but pings, after `delayMs`; the time it has waited for a core is what `waitedMs` says. */
function openChannel(waitedMs: () => number) {
  const [ours, theirs] = duplexPair();
  const pings: Frame<Question>[] = [];
  const faults: string[] = [];
  readFrames<Question>(theirs, (frame) => {
    if (frame.head.kind === PING) pings.push(frame);
  });
  const channel = new Channel(ours, (fault) => faults.push(fault), {
    limitMs: LIMIT_MS,
    startLimitMs: LIMIT_MS,
    waitedMs,
  });
  const question = channel.ask({ kind: 'unload', model: 1 }, undefined, 60_000);
  question.catch(() => undefined);
  return {
    faults,
    answerPings: () => pings.splice(0).forEach(({ head }) => writeFrame(theirs, { id: head.id, kind: 'done' })),
    close: () => channel.fail(new Error('closed')),
  };
}

describe('who is asked over a channel', () => {
  test('is stuck when it leaves a ping without an answer although it has a core', async (t) => {
    const { faults, close } = openChannel(() => 0);
    t.after(close);
    await until('it counts as stuck', () => faults.length > 0);
    assert.match(faults[0] ?? '', /a ping was not answered in time/);
  });

  test('is not stuck while it waits for a core, and is when it has one and still does not answer', async (t) => {
    const start = performance.now();
    let waitedMs = () => performance.now() - start;
    const { faults, close } = openChannel(() => waitedMs());
    t.after(close);
    await setTimeout(4 * LIMIT_MS);
    assert.deepEqual(faults, []);
    const soFar = waitedMs();
    waitedMs = () => soFar;
    await until('it counts as stuck', () => faults.length > 0);
  });

  test('is not stuck when each wait is longer than a look at it and is told at its end, as Linux does', async (t) => {
    const start = performance.now();
    const { faults, close } = openChannel(() => Math.floor((performance.now() - start) / 250) * 250);
    t.after(close);
    await setTimeout(6 * LIMIT_MS);
    assert.deepEqual(faults, []);
  });

  test('is not stuck when it answers its pings', async (t) => {
    const { faults, answerPings, close } = openChannel(() => 0);
    t.after(close);
    for (let look = 0; look < 20; look++) {
      await setTimeout(LIMIT_MS / 6);
      answerPings();
    }
    assert.deepEqual(faults, []);
  });
});

/** One of those that this process may use. */
function oneCore(): string {
  return /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
}

describe('how long a process has waited for a core', () => {
  const linux = process.platform === 'linux' ? false : 'only Linux tells';
  const core = linux === false ? oneCore() : '';

  test('grows where two want the same one', { skip: linux }, async (t) => {
    const busy = () =>
      spawn(
        'taskset',
        ['--cpu-list', core, process.execPath, '-e', 'const end = Date.now() + 3e4; while (Date.now() < end);'],
        {
          stdio: 'ignore',
        },
      );
    const rivals = [busy(), busy()];
    t.after(() => Promise.all(rivals.map(async (rival) => rival.kill('SIGKILL') && once(rival, 'exit'))));
    await until('one has waited for the other', () => rivals.every(({ pid = 0 }) => waitedForCoreMs(pid) > 200));
  });

  test('is 0 for a process that is not there', () => {
    assert.equal(waitedForCoreMs(2 ** 30), 0);
  });
});
