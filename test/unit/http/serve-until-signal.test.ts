import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';

/** Runs a service whose start and close are given as source, signals it once it prints `up`, and returns how it ended. */
async function run(start: string, signals: NodeJS.Signals[]) {
  const source = `
    import { createLog, serveUntilSignal } from '@atelier/http';
    setInterval(() => undefined, 1000);
    const up = () => console.log('up');
    await serveUntilSignal(createLog('test', 'info'), ${start}, 200);
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', source], {
    timeout: 15_000,
  });
  let printed = '';
  const ended = once(child, 'close') as Promise<[number | null, string | null]>;
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    printed += chunk.toString();
    if (/^up$/m.test(chunk.toString())) for (const signal of signals) child.kill(signal);
  }
  const [code] = await ended;
  return { code, printed };
}

describe('a service that runs until a signal', () => {
  test('closes once and ends with 0, however many signals come', async () => {
    const start = `async () => { up(); return { close: async () => console.log('closing') }; }`;
    const { code, printed } = await run(start, ['SIGTERM', 'SIGINT', 'SIGTERM']);
    assert.equal(code, 0, printed);
    assert.equal(printed.split('\n').filter((line) => line === 'closing').length, 1);
  });

  test('closes also when the signal comes while it starts', async () => {
    const start = `async () => { up(); await new Promise((resolve) => setTimeout(resolve, 100)); return { close: async () => console.log('closing') }; }`;
    const { code, printed } = await run(start, ['SIGINT']);
    assert.equal(code, 0, printed);
    assert.match(printed, /^closing$/m);
  });

  test('ends with 1 when it does not close in time', async () => {
    const { code, printed } = await run(`async () => { up(); return { close: () => new Promise(() => {}) }; }`, [
      'SIGTERM',
    ]);
    assert.equal(code, 1);
    assert.match(printed, /Not stopped after 200 ms/);
  });

  test('ends with 1 also when the signal comes while it starts and it never comes up', async () => {
    const { code, printed } = await run(`() => { up(); return new Promise(() => {}); }`, ['SIGTERM']);
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
