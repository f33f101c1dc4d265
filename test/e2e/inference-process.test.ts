import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pngOf, garmentImage } from '../support/pictures.ts';
import { publishTiny } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const main = fileURLToPath(new URL('../../services/inference/src/main.ts', import.meta.url));

interface ServiceProcess {
  child: ChildProcess;
  /** What it has printed so far. */
  printed(): string;
  /** Resolves with the first match in what it prints; rejects when it ends without one. */
  prints(pattern: RegExp): Promise<RegExpExecArray>;
  /** Its exit code, or the signal that ended it. */
  ended: Promise<number | string | null>;
}

/** The process is gone when `context` is over, whatever became of it. */
function startProcess(context: TestContext, environment: Record<string, string>): ServiceProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', main], {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  context.after(() => child.kill('SIGKILL'));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string | null);
  return {
    child,
    ended,
    printed: () => text,
    prints: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(text);
          if (match !== null) resolve(match);
        };
        look();
        child.stdout.on('data', look);
        void ended.then(() => reject(new Error(`ended without ${pattern}:\n${text}`)));
      }),
  };
}

describe('the inference process', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => folder.remove());

  test(
    'starts, answers a picture, and stops with 0 at SIGTERM, however often it comes',
    { timeout: 20_000 },
    async (t) => {
      await publishTiny(folder.path);
      const service = startProcess(t, { INFERENCE_PORT: '0', MODELS_DIR: folder.path });
      const [, url = ''] = await service.prints(/listens on (http:\/\/127\.0\.0\.1:\d+)/);
      await service.prints(/Serving fashion-mlp\/1 on cpu/);
      const form = new FormData();
      form.append('image', new Blob([await pngOf(garmentImage())]), 'shoe.png');
      const answer = await fetch(`${url}/predict?top=1`, { method: 'POST', body: form });
      assert.equal(answer.status, 200);
      for (let count = 0; count < 3; count++) service.child.kill(count === 1 ? 'SIGINT' : 'SIGTERM');
      assert.equal(await service.ended, 0, service.printed());
      assert.match(service.printed(), /"msg":"Stopped"/);
    },
  );

  test('stops with 0 while it is still loading', { timeout: 20_000 }, async (t) => {
    const service = startProcess(t, { INFERENCE_PORT: '0', MODELS_DIR: folder.path });
    await service.prints(/listens on/);
    service.child.kill('SIGINT');
    assert.equal(await service.ended, 0, service.printed());
  });

  test('ends with 1 and one clear line when its port is taken', { timeout: 20_000 }, async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    t.after(() => other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const service = startProcess(t, { INFERENCE_PORT: String(port), MODELS_DIR: folder.path });
    assert.equal(await service.ended, 1);
    const lines = service.printed().trim().split('\n');
    assert.equal(lines.length, 1, service.printed());
    const { code, msg } = JSON.parse(lines[0] ?? '') as { code: string; msg: string };
    assert.equal(code, 'address-unavailable');
    assert.equal(
      msg,
      `Cannot listen on 127.0.0.1:${port}: another program listens there; stop it or choose another port.`,
    );
  });

  test('ends with 1 and every fault of its configuration', { timeout: 20_000 }, async (t) => {
    const service = startProcess(t, { INFERENCE_PORT: '80a', INFERENCE_MODEL: '../secrets', LOG_LEVEL: 'loud' });
    assert.equal(await service.ended, 1);
    for (const variable of ['INFERENCE_PORT=80a', 'INFERENCE_MODEL=../secrets', 'LOG_LEVEL=loud']) {
      assert.ok(service.printed().includes(variable), variable);
    }
  });
});
