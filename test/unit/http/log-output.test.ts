import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';

const LINES = 5000;

/** Runs a program that logs 5,000 lines and ends as `ending` has it. */
function start(ending: string) {
  const source = `
    import { createLog } from '@atelier/http';
    const log = createLog('test', 'info');
    for (let index = 0; index < ${LINES}; index++) log.info({ index }, 'A line');
    ${ending}
  `;
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', source], { timeout: 15_000 });
}

describe('the log on standard output', () => {
  const endings: Record<string, { source: string; code: number; last: RegExp }> = {
    'by itself': { source: '', code: 0, last: /A line/ },
    'by process.exit': { source: "log.info('The end'); process.exit(3);", code: 3, last: /The end/ },
    'by an error that nobody catches': {
      source: "log.info('The end'); throw new Error('x');",
      code: 1,
      last: /The end/,
    },
    'after a fatal line': {
      source: "log.fatal('The end'); process.kill(process.pid, 'SIGKILL');",
      code: -1,
      last: /The end/,
    },
  };
  for (const [how, { source, code, last }] of Object.entries(endings)) {
    test(`is whole and in order when the process ends ${how}`, async () => {
      const child = start(source);
      const ended = once(child, 'close') as Promise<[number | null]>;
      const lines = (await text(child.stdout)).trimEnd().split('\n');
      assert.equal((await ended)[0] ?? -1, code);
      const indices = lines
        .map((line) => (JSON.parse(line) as { index?: number }).index)
        .filter((i) => i !== undefined);
      assert.deepEqual(indices, [...Array(LINES).keys()]);
      assert.match(lines.at(-1) ?? '', last);
    });
  }

  test('comes within moments from a process that goes on', async () => {
    const child = start('setInterval(() => undefined, 1000);');
    let read = '';
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      read += chunk.toString();
      if (read.split('\n').length > LINES) break;
    }
    child.kill();
    assert.equal(child.exitCode, null, 'it was still running');
  });

  test('is lost without its reader, and the process goes on to its end', async () => {
    const child = start(`
      for (let round = 0; round < 20; round++) {
        log.info('nobody reads this');
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
      process.exit(7);
    `);
    child.stdout.destroy();
    const [code] = (await once(child, 'exit')) as [number | null];
    assert.equal(code, 7);
  });
});
