import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { readConfig, type RunningInference, startInference } from '@atelier/inference';
import type { ProblemDetails } from '../support/answers.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('the limits of the inference service', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: RunningInference;
  before(async () => {
    folder = await temporaryFolder(); // without a version: what is refused here is refused before one is asked
    const variables = {
      MODELS_DIR: folder.path,
      INFERENCE_PORT: '0',
      INFERENCE_MAX_URL_BYTES: '1000',
      INFERENCE_MAX_HEADER_BYTES: '4096',
      INFERENCE_HEADERS_TIMEOUT_MS: '200',
      INFERENCE_REQUEST_TIMEOUT_MS: '400',
      INFERENCE_MAX_CONNECTIONS: '5',
    };
    service = await startInference(readConfig(variables), recordedLog().log);
  });
  after(async () => {
    await service.close(0);
    await folder.remove();
  });
  const portOf = () => Number(new URL(service.url).port);

  test('refuse an address that is too long', async () => {
    const close = { headers: { Connection: 'close' } };
    assert.equal((await fetch(`${service.url}/healthz?${'a'.repeat(900)}`, close)).status, 200);
    const refused = await fetch(`${service.url}/healthz?${'a'.repeat(1000)}`, close);
    assert.equal(refused.status, 414);
    assert.equal(((await refused.json()) as ProblemDetails).type, '/problems/url-too-long');
  });

  test('refuse headers that are too large', async () => {
    const headers = { Connection: 'close', X: 'a'.repeat(5000) };
    assert.equal((await fetch(`${service.url}/healthz`, { headers })).status, 431);
  });

  const slow: Record<string, string> = {
    headers: 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ',
    'a body': 'POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 10000\r\n\r\n',
  };
  for (const [what, start] of Object.entries(slow)) {
    test(`end the connection of a client that dribbles ${what}`, { timeout: 10_000 }, async () => {
      const socket = connect(portOf(), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(start);
      const dribble = setInterval(() => socket.write('a'), 20);
      await closed(socket);
      clearInterval(dribble);
    });
  }

  test(
    'close a connection above the number that is taken, and answer those that are',
    { timeout: 10_000 },
    async () => {
      const sockets = Array.from({ length: 5 }, () => connect(portOf(), '127.0.0.1'));
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      const sixth = connect(portOf(), '127.0.0.1');
      sixth.on('error', () => undefined);
      await closed(sixth);
      const [first] = sockets;
      first?.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      const [answer] = (await once(first ?? sixth, 'data')) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1\.1 200 /);
      for (const socket of sockets) socket.destroy();
    },
  );
});

/** Also by a reset, which `once` would take for a failure. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.resume().once('close', () => resolve()));
}
