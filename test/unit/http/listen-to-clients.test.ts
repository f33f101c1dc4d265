import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { DomainError } from '@atelier/domain';
import { createApplication, listen, type ListenOptions, readBody } from '@atelier/http';
import { type RequestHandler } from 'express';
import { connectTo, headOf } from '../../support/raw-request.ts';
import { recordedLog } from '../../support/recorded-log.ts';

async function serve(t: TestContext, handler: RequestHandler, options: ListenOptions = {}) {
  const server = await listen(createApplication(recordedLog().log, [handler]), '127.0.0.1', 0, options);
  const connection = await connectTo(server.url);
  t.after(async () => {
    connection.destroy();
    await server.close();
  });
  return connection;
}

describe('a client that expects 100 before it sends its body', { timeout: 20_000 }, () => {
  const expecting = headOf('/', 5, { Expect: '100-continue' });

  test('is told so when the body is wanted, and its connection goes on', async (t) => {
    const connection = await serve(t, async (request, response) => {
      response.json((await readBody(request, 10)).toString());
    });
    for (let round = 1; round <= 2; round++) {
      connection.write(expecting);
      await connection.receives(new RegExp(`^(HTTP/1\\.1 100 Continue\r\n\r\n[^]*){${round}}$`));
      connection.write('hello');
      await connection.receives(new RegExp(`^(HTTP/1\\.1 100 Continue\r\n\r\nHTTP/1\\.1 200 [^]*"hello"){${round}}$`));
    }
  });

  for (const bytes of [5, 1_000_000]) {
    test(`of ${bytes} bytes is refused without a word of that, and the connection ends`, async (t) => {
      const connection = await serve(t, () => {
        throw new DomainError('unauthorized', 'no');
      });
      connection.write(headOf('/', bytes, { Expect: '100-continue' }));
      const answer = await connection.ended();
      assert.match(answer, /^HTTP\/1\.1 401 /);
      assert.match(answer, /^Connection: close\r$/im);
      assert.doesNotMatch(answer, / 100 /);
    });
  }
});

describe('a client that does not read its answer', { timeout: 20_000 }, () => {
  test('loses its connection', async (t) => {
    let closed: (() => void) | undefined;
    const end = new Promise<void>((resolve) => (closed = resolve));
    const large = Buffer.alloc(64 * 1024 * 1024);
    const connection = await serve(
      t,
      (_request, response) => {
        response.once('close', () => closed?.());
        response.end(large);
      },
      { stalledMs: 200 },
    );
    connection.socket.pause();
    connection.write(headOf('/', 0));
    await end;
  });

  test('keeps it while the answer is being worked on', async (t) => {
    const connection = await serve(
      t,
      async (_request, response) => {
        await setTimeout(600);
        response.json('late');
      },
      { stalledMs: 100 },
    );
    connection.write(headOf('/', 0));
    await connection.receives(/"late"$/);
  });
});
