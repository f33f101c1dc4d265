import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { Program, ROOT } from '../support/programs.ts';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { childrenOf } from '../support/children.ts';
import { canTrace, internetSockets, outgoingCalls, traced } from '../support/sockets.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const TRAP = pathToFileURL(join(ROOT, 'test', 'support', 'connection-trap.mjs')).href;
/** An address that no network has (RFC 5737). */
const NOWHERE = '192.0.2.1';

const tracing = process.platform === 'linux' && canTrace();
/** What looks into /proc. */
const skip = process.platform !== 'linux';

/** Which of the libraries that meet strangers' bytes are in the memory of a process. */
async function nativeLibraries(pid: number): Promise<string[]> {
  const maps = await readFile(`/proc/${pid}/maps`, 'utf8');
  return ['libonnxruntime', 'libvips'].filter((name) => maps.includes(name));
}

/** A folder, the file into which the trap in Node writes, and the one into which strace does. */
async function traps(t: TestContext) {
  const folder = await temporaryFolder();
  t.after(() => folder.remove());
  const [trap, trace] = [join(folder.path, 'trap'), join(folder.path, 'trace')];
  for (const file of [trap, trace]) await writeFile(file, '');
  const environment = { CONNECTION_TRAP: trap, NODE_OPTIONS: `--import ${TRAP}` };
  const command = (words: string[]) => (tracing ? traced(trace, words) : words);
  return { folder: folder.path, environment, command, trap, trace };
}

/** strace, when it is killed, leaves the program behind. */
function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // all have ended
  }
}

function start([command = '', ...words]: string[], environment: Record<string, string>): Program {
  return new Program(command, words, environment);
}

describe('the service on a network that it could use', { skip, timeout: 60_000 }, () => {
  test('connects to nobody, asks no name and listens once, while it starts, answers, decodes, reloads and stops', async (t) => {
    const { folder, environment, command, trap, trace } = await traps(t);
    const models = join(folder, 'models');
    await publishTiny(models, { seed: 1 });
    const settings = { MODELS_DIR: models, INFERENCE_PORT: '0', INFERENCE_GRACE_MS: '0', INFERENCE_POLL_MS: '100' };
    const words = [process.execPath, '--import', 'tsx', 'services/inference/src/main.ts'];
    const service = start(command(words), { ...environment, ...settings });
    const started = service.process.pid ?? 0;
    t.after(() => killGroup(started));
    await service.wrote(/Serving fashion-mlp\/1/);
    const [, url = ''] = await service.wrote(/Inference listens on (http:[^"]+)"/);
    const [pid = started] = tracing ? await childrenOf(started) : [started];

    await predictBothWays(url);
    await publishTiny(models, { seed: 2 });
    await service.wrote(/Serving fashion-mlp\/2/);
    await predictBothWays(url);
    for (const path of ['/', '/healthz', '/readyz', '/models', '/v2', '/metrics'])
      await (await fetch(url + path)).text();

    const ports = (await internetSockets(pid))
      .filter(({ isListening }) => isListening)
      .map(({ localPort }) => localPort);
    assert.deepEqual(ports, [Number(new URL(url).port)]);
    const outgoing = (await internetSockets(pid)).filter(({ localPort }) => !ports.includes(localPort));
    assert.deepEqual(outgoing, [], 'every socket of the service is one that it accepted');
    const compute: number[] = [];
    for (const child of await childrenOf(pid)) {
      const commandLine = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
      if (commandLine.includes('compute-main')) compute.push(child);
    }
    assert.equal(compute.length, 1);
    assert.deepEqual(await internetSockets(compute[0] ?? 0), [], 'nobody reaches the process that reads pictures');
    assert.deepEqual(await nativeLibraries(pid), [], 'the service itself loads neither');
    assert.deepEqual(await nativeLibraries(compute[0] ?? 0), ['libonnxruntime', 'libvips']);

    process.kill(pid, 'SIGTERM');
    assert.equal((await service.finished).code, 0);
    assert.equal(await readFile(trap, 'utf8'), '');
    assert.deepEqual(outgoingCalls(await readFile(trace, 'utf8')), []);
    if (tracing) assert.match(await readFile(trace, 'utf8'), /listen\(/, 'strace saw the service');
    else t.diagnostic('strace cannot be used here: native code was watched by its sockets only');
  });

  async function predictBothWays(url: string): Promise<void> {
    const pixels = { pixels: [[...randomImage(1)]] };
    const headers = { 'Content-Type': 'application/json' };
    const picture = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#456' } })
      .png()
      .toBuffer();
    for (const init of [
      { method: 'POST', headers, body: JSON.stringify(pixels) },
      { method: 'POST', headers: { 'Content-Type': 'image/png' }, body: new Uint8Array(picture) },
    ]) {
      const response = await fetch(`${url}/predict`, init);
      assert.equal(response.status, 200, await response.text());
    }
  }
});

describe('what watches it', { skip, timeout: 60_000 }, () => {
  test('catches a program of Node that fetches, asks a name or sends a datagram', async (t) => {
    const { environment, trap } = await traps(t);
    const program = `
      const { createSocket } = await import('node:dgram');
      const { get } = await import('node:http');
      const { lookup } = await import('node:dns');
      const { connect } = await import('node:tls');
      get('http://${NOWHERE}:8123/got').on('error', () => undefined);
      fetch('http://${NOWHERE}:8123/fetched').catch(() => undefined);
      connect(8123, '${NOWHERE}').on('error', () => undefined);
      lookup('name.invalid', () => undefined);
      createSocket('udp4').send('x', 9, '${NOWHERE}', () => undefined);
      setTimeout(() => process.exit(0), 300);`;
    await start([process.execPath, '--input-type=module', '-e', program], environment).finished;
    const caught = await readFile(trap, 'utf8');
    assert.equal(caught.match(/ connect .*"192\.0\.2\.1"/g)?.length, 3, caught);
    assert.match(caught, / lookup \["name\.invalid"/);
    assert.match(caught, / send \["x",9,"192\.0\.2\.1"/);
  });

  test('sees the socket of a process that loads no trap, and the call that opened it', async (t) => {
    const { command, trace } = await traps(t);
    const program = `
      const { connect } = require('node:net');
      const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
        connect(server.address().port, '127.0.0.1', () => console.log('connected'));
      });`;
    const stranger = start(command([process.execPath, '-e', program]), {});
    const started = stranger.process.pid ?? 0;
    t.after(() => killGroup(started));
    await stranger.wrote(/connected/);
    const [pid = started] = tracing ? await childrenOf(started) : [started];
    const sockets = await internetSockets(pid);
    const [listening] = sockets.filter(({ isListening }) => isListening);
    assert.equal(sockets.filter(({ localPort }) => localPort !== listening?.localPort).length, 1);
    process.kill(pid, 'SIGTERM');
    await stranger.finished;
    if (tracing) assert.equal(outgoingCalls(await readFile(trace, 'utf8')).length, 1);
  });
});
