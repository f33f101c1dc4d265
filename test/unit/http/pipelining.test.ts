import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { listen, readBody } from '@atelier/http';
import { uniform } from '../../../scripts/src/verification/uniform.ts';
import { connectTo, headOf } from '../../support/raw-request.ts';
import { until } from '../../support/until.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

async function serve(t: TestContext, handler: Handler) {
  const server = await listen((request, response) => void handler(request, response), '127.0.0.1', 0);
  const connection = await connectTo(server.url);
  t.after(async () => {
    connection.destroy();
    await server.close();
  });
  return { ...connection, server };
}

/** A request with a body of 5,000 bytes that starts with `number`. */
function request(number: number): string {
  return headOf('/', 5_000) + `${number} `.padEnd(5_000, 'x');
}

const numbers = Array.from({ length: 300 }, (_, index) => index);
const all = numbers.map(request).join('');

const chunkedHead = (number: number) =>
  `POST /${number} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`;

/** The numbers of the answers in `text`. */
const answered = (text: string) => [...text.matchAll(/\r\n\r\n(\d+)x*/g)].map(([, number]) => Number(number));

describe('requests that come before the answer to the one before, on one connection', { timeout: 20_000 }, () => {
  test('are begun one after the other and answered in their order', async (t) => {
    let running = 0;
    let most = 0;
    const client = await serve(t, async (request, response) => {
      most = Math.max(most, ++running);
      const body = await readBody(request, 5_000);
      await setTimeout(1);
      running--;
      response.end(String(parseInt(body.toString())));
    });
    client.write(all);
    const text = await client.receives(/\r\n\r\n299$/);
    assert.deepEqual(answered(text), numbers);
    assert.equal(most, 1);
  });

  test('are answered with and without a body, in chunks or whole, whether somebody reads it or not', async (t) => {
    const random = uniform(1);
    const client = await serve(t, async (request, response) => {
      const number = Number(request.url?.slice(1));
      if (random() < 0.7) await readBody(request, 1_000_000);
      if (random() < 0.3) await setTimeout(1);
      response.end(String(number).padEnd(Math.floor(random() * 30_000), 'x'));
    });
    for (const number of numbers) {
      const body = 'b'.repeat(random() < 0.2 ? 0 : Math.floor(random() ** 4 * 300_000));
      const isChunked = body !== '' && random() < 0.5;
      client.write(
        isChunked
          ? `${chunkedHead(number)}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
          : headOf(`/${number}`, body.length) + body,
      );
    }
    await until('all are answered', () => answered(client.received()).length === numbers.length);
    assert.deepEqual(answered(client.received()), numbers);
  });

  test('are left to the network, but for a few', async (t) => {
    let first: ServerResponse | undefined;
    const client = await serve(t, (_request, response) => {
      if (first === undefined) first = response;
      else response.end('1');
    });
    client.write(all);
    await until('it has come', () => first !== undefined);
    await setTimeout(100); // in which all of it would come
    const read = first?.req.socket.bytesRead ?? 0;
    assert.ok(read > 0 && read < all.length / 4, `${read} bytes of ${all.length}`);
    first?.end('1');
    await until('all are answered', () => answered(client.received()).length === numbers.length);
  });

  for (const [how, turn] of [
    ['at once', (end: () => unknown) => void end()],
    ['a turn later', (end: () => unknown) => void setImmediate(end)],
  ] as const) {
    for (const when of ['late', 'all the time']) {
      test(`are all answered, ${how} and at length, to a client that reads ${when}`, async (t) => {
        const client = await serve(t, (request, response) => {
          turn(() => response.end(`${Number(request.url?.slice(1, 4))}`.padEnd(50_000, 'x')));
        });
        if (when === 'late') client.socket.pause();
        for (const number of numbers) {
          const path = String(number).padStart(3, '0').padEnd(5_000, '/');
          client.write(`GET /${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
        }
        await setTimeout(200);
        client.socket.resume();
        await until('all are answered', () => answered(client.received()).length === numbers.length);
        assert.deepEqual(answered(client.received()), numbers);
      });
    }
  }

  test('are not begun after an answer that ends the connection', async (t) => {
    let begun = 0;
    const client = await serve(t, (_request, response) => {
      if (++begun === 2) response.setHeader('Connection', 'close');
      response.end(String(begun));
    });
    client.write(all);
    assert.deepEqual(answered(await client.ended()), [1, 2]);
    assert.equal(begun, 2);
  });

  test('are not begun for a client that has left', async (t) => {
    let begun = 0;
    let closed = false;
    const client = await serve(t, (_request, response) => {
      begun++;
      response.once('close', () => (closed = true));
    });
    client.write(headOf('/', 0) + headOf('/', 0));
    await until('the first has come', () => begun === 1);
    client.socket.resetAndDestroy();
    await until('the service knows', () => closed);
    await setTimeout(20);
    assert.equal(begun, 1);
  });

  test('are answered by a server that is closing, which says so in the last', async (t) => {
    const waiting: ServerResponse[] = [];
    const client = await serve(t, (_request, response) => void waiting.push(response));
    client.write(request(0) + request(1) + request(2));
    await until('the first has come', () => waiting.length === 1);
    await setTimeout(20); // in which the others come
    const closed = client.server.close();
    for (const number of [0, 1, 2]) {
      await until('its turn has come', () => waiting.length === number + 1);
      waiting[number]?.end(String(number));
    }
    const text = await client.ended();
    assert.deepEqual(answered(text), [0, 1, 2]);
    assert.deepEqual(
      [...text.matchAll(/^Connection: (.*)\r$/gm)].map(([, value]) => value),
      ['keep-alive', 'keep-alive', 'close'],
    );
    await closed;
  });
});
