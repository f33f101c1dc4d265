import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { describe, test } from 'node:test';

type Stop = (child: ChildProcess) => unknown;

const sends = (signal: NodeJS.Signals) => (child: ChildProcess) => child.kill(signal);

/**
 * Runs a service whose start and close are given as source, does the next of `stops` whenever it prints `up`, and returns
 * how it ended.
 */
async function run(start: string, stops: Stop[]) {
  const source = `
    import { createLog, serveUntilSignal } from '@atelier/http';
    setInterval(() => undefined, 1000);
    const up = () => console.log('up');
    await serveUntilSignal(createLog('test', 'info'), ${start}, 200);
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', source], {
    timeout: 15_000,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let printed = '';
  child.stderr?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
    for (let ups = chunk.toString().split('up\n').length - 1; ups > 0; ups--) stops.shift()?.(child);
  });
  // Not `close`, which Node 20 never emits once the parent has disconnected.
  const [exit] = await Promise.all([
    once(child, 'exit'),
    ...child.stdio.slice(1, 3).map((pipe) => once(pipe as Readable, 'close')),
  ]);
  const [code] = exit as [number | null];
  return { code, printed };
}

/** A service with a grace period, which says how it is closed, and prints `up` again when it is. */
const closing = (how = 'undefined') =>
  `async () => {
    const close = (graceMs) => { console.log('closing', graceMs); up(); return ${how}; };
    up();
    return { graceMs: 5000, close };
  }`;

describe('a service that runs until a signal', () => {
  test('closes once and ends with 0, after its grace period at SIGTERM and without it at SIGINT', async () => {
    const start = closing(`new Promise((resolve) => setTimeout(resolve, 100))`);
    for (const [first, graceMs] of [
      ['SIGTERM', 5000],
      ['SIGINT', 0],
    ] as const) {
      const { code, printed } = await run(start, [sends(first), sends('SIGINT')]);
      assert.equal(code, 0, printed);
      assert.deepEqual(printed.match(/^closing .*$/gm), [`closing ${graceMs}`]);
    }
  });

  test('does the same when whoever forked it says so, and stops when that has died', async () => {
    const noise = [7, {}, { stop: 'SIGHUP' }];
    const tell = (child: ChildProcess) => [...noise, { stop: 'SIGTERM' }].forEach((message) => child.send(message));
    assert.match((await run(closing(), [tell])).printed, /^closing 5000$/m);
    assert.match((await run(closing(), [(child) => child.disconnect()])).printed, /^closing 0$/m);
  });

  test('ends at once with 143 at a second SIGTERM, and SIGTERM after SIGINT is the first', async () => {
    const start = closing(`new Promise((resolve) => { setTimeout(up, 20); setTimeout(up, 40); })`);
    const { code, printed } = await run(start, [sends('SIGINT'), sends('SIGTERM'), sends('SIGINT'), sends('SIGTERM')]);
    assert.equal(code, 143, printed);
    assert.match(printed, /SIGTERM came again/);
  });

  test('closes also when the signal comes while it starts', async () => {
    const start = `async () => { up(); await new Promise((resolve) => setTimeout(resolve, 100)); return { close: async () => console.log('closing') }; }`;
    const { code, printed } = await run(start, [sends('SIGINT')]);
    assert.equal(code, 0, printed);
    assert.match(printed, /^closing$/m);
  });

  test('ends with 1 when it does not close in time', async () => {
    const { code, printed } = await run(`async () => { up(); return { close: () => new Promise(() => {}) }; }`, [
      sends('SIGTERM'),
    ]);
    assert.equal(code, 1);
    assert.match(printed, /Not stopped after 200 ms/);
  });

  test('ends with 1 and the reason when not everything ended by itself', async () => {
    const start = closing(`Promise.reject(new Error('Broken off: requests.'))`);
    const { code, printed } = await run(start, [sends('SIGTERM')]);
    assert.equal(code, 1);
    assert.match(printed, /"msg":"Broken off: requests\."/);
    assert.doesNotMatch(printed, /"Stopped"/);
  });

  test('ends with 1 also when the signal comes while it starts and it never comes up', async () => {
    const { code, printed } = await run(`() => { up(); return new Promise(() => {}); }`, [sends('SIGTERM')]);
    assert.equal(code, 1);
    assert.match(printed, /Not stopped after 200 ms/);
  });

  test('ends with 1 and one clear sentence when it cannot start for a reason that was foreseen', async () => {
    const source = `async () => {
      const { DomainError } = await import('@atelier/domain');
      throw new DomainError('address-unavailable', 'Cannot listen.', { cause: new Error('listen EADDRINUSE') });
    }`;
    const { code, printed } = await run(source, []);
    assert.equal(code, 1);
    assert.match(printed, /"code":"address-unavailable","msg":"Cannot listen\."/);
    assert.doesNotMatch(printed, /EADDRINUSE/);
  });

  test('ends with 1 and the reason when it cannot start', async () => {
    const { code, printed } = await run(`() => { throw new Error('no place to stand'); }`, []);
    assert.equal(code, 1);
    assert.match(printed, /no place to stand/);
  });
});
