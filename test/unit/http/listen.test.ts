import assert from 'node:assert/strict';
import { Agent, get, type IncomingMessage, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { listen } from '@atelier/http';
import type { ProblemDetails } from '../../support/answers.ts';
import { recordedLog } from '../../support/recorded-log.ts';

const hello: RequestListener = (_request, response) => void response.end('hello');

async function getFrom(url: string, agent: Agent | false = false): Promise<IncomingMessage> {
  const request = get(url, { agent });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response;
}

/** Sends `start` and then a byte at a time, until the server has ended the connection; resolves to what that answered. */
async function drip(url: string, start: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(start);
  const dripping = setInterval(() => socket.write('a'), 20);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(dripping);
  return answer;
}

describe('listening', () => {
  test('says where, and takes requests until it is closed', async (t) => {
    const { url, close } = await listen(hello, '127.0.0.1', 0);
    t.after(close);
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal((await getFrom(url)).statusCode, 200);
    await close();
    await assert.rejects(getFrom(url), { code: 'ECONNREFUSED' });
  });

  test('says that a port is taken', async (t) => {
    const { url, close } = await listen(hello, '127.0.0.1', 0);
    t.after(close);
    await assert.rejects(listen(hello, '127.0.0.1', Number(new URL(url).port)), {
      code: 'address-unavailable',
      message: /^Cannot listen on 127\.0\.0\.1:\d+: another program listens there/,
    });
  });

  test('says that a machine has no such address', async () => {
    // 192.0.2.0/24 is for documentation (RFC 5737): no machine has it.
    await assert.rejects(listen(hello, '192.0.2.1', 0), { code: 'address-unavailable', message: /no such address/ });
  });

  // Less than the 5 s for which an idle connection would otherwise be kept.
  const untilIdleEnds = { timeout: 4_000 };
  test('finishes a request in flight before it has closed, and ends idle connections', untilIdleEnds, async (t) => {
    let finish: (() => void) | undefined;
    const slow: RequestListener = (request, response) => {
      if (request.url === '/slow') finish = () => void response.end('late');
      else response.end('hello');
    };
    const { url, close } = await listen(slow, '127.0.0.1', 0);
    t.after(close);
    const agent = new Agent({ keepAlive: true });
    await getFrom(`${url}/fast`, agent); // leaves an idle connection
    const pending = getFrom(`${url}/slow`, agent);
    while (finish === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    let closed = false;
    const closing = close().then(() => (closed = true));
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(closed, false);
    finish();
    assert.equal((await pending).statusCode, 200);
    await closing;
    agent.destroy();
  });

  test('cuts off a request that outlasts the grace period', async (t) => {
    const { url, close } = await listen(() => undefined, '127.0.0.1', 0, { graceMs: 50 });
    t.after(close);
    const pending = getFrom(url);
    const cut = assert.rejects(pending, { code: 'ECONNRESET' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await close();
    await cut;
  });

  test('can be closed more than once', async (t) => {
    const { close } = await listen(hello, '127.0.0.1', 0);
    t.after(close);
    await Promise.all([close(), close()]);
    await close();
  });

  test('fails no request of clients that keep their connections while it is closed', { timeout: 20_000 }, async (t) => {
    const soon: RequestListener = (_request, response) => void setTimeout(() => response.end('hello'), 2);
    const { url, close } = await listen(soon, '127.0.0.1', 0);
    t.after(close);
    const clients = 16;
    const agent = new Agent({ keepAlive: true, maxSockets: clients });
    t.after(() => agent.destroy());
    let closing: Promise<void> | undefined;
    let answered = 0;
    let farewells = 0;
    const failures: string[] = [];
    const load = async () => {
      for (;;) {
        try {
          const { headers } = await getFrom(url, agent);
          if (headers.connection === 'close') farewells++;
        } catch (error) {
          failures.push((error as NodeJS.ErrnoException).code ?? String(error));
          return;
        }
        if (++answered === 20 * clients) closing = close();
      }
    };
    await Promise.all(Array.from({ length: clients }, load));
    await closing;
    // Each client goes on until it can open no new connection.
    assert.deepEqual(failures, Array(clients).fill('ECONNREFUSED'));
    assert.equal(farewells, clients, 'each was told once to leave');
  });

  test('says what is no request, as problem details, and logs it', async (t) => {
    const { log, lines } = recordedLog();
    const { url, close } = await listen(hello, '127.0.0.1', 0, { log });
    t.after(close);
    for (const [text, status] of [
      ['GARBAGE\r\n\r\n', 400],
      ['GET / HTTP/1.1\r\n\r\n', 400],
      ['BREW / HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', 400],
      ['CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ] as const) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.end(text);
      let answer = '';
      for await (const chunk of socket as AsyncIterable<Buffer>) answer += chunk.toString();
      const [head = '', body = ''] = answer.split('\r\n\r\n');
      assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} \\w`));
      assert.match(head, /^Content-Type: application\/problem\+json$/m);
      const details = JSON.parse(body) as ProblemDetails;
      assert.deepEqual([details.type, details.status], ['/problems/malformed-request', status]);
    }
    assert.equal(lines.filter(({ code }) => code === 'malformed-request').length, 6);
  });

  const untilDripEnds = { timeout: 10_000 };
  test('answers 408 to headers, and to a body, that drip in too slowly', untilDripEnds, async (t) => {
    const whole: RequestListener = (request, response) => {
      request.on('error', () => undefined).on('end', () => response.end('hello'));
      request.resume();
    };
    const limits = { headersTimeoutMs: 200, requestTimeoutMs: 400 };
    const { url, close } = await listen(whole, '127.0.0.1', 0, limits);
    t.after(close);
    for (const [start, leastMs] of [
      ['GET / HTTP/1.1\r\nHost: x\r\nX: ', limits.headersTimeoutMs],
      ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n', limits.requestTimeoutMs],
    ] as const) {
      const started = performance.now();
      const answer = await drip(url, start);
      assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/);
      assert.match(answer, /"type":"\/problems\/malformed-request"/);
      assert.ok(performance.now() - started >= leastMs, 'not before its time');
    }
  });

  test('takes as large headers as it was told, and says the limit', async (t) => {
    const { url, close } = await listen(hello, '127.0.0.1', 0, { maximumHeaderBytes: 2048 });
    t.after(close);
    assert.equal((await fetch(url, { headers: { X: 'a'.repeat(1000) } })).status, 200);
    const refused = await fetch(url, { headers: { X: 'a'.repeat(3000) } });
    assert.equal(refused.status, 431);
    assert.equal(((await refused.json()) as ProblemDetails).detail, 'The headers are larger than 2 KiB.');
  });

  test('logs why something is no request without what came, which may have a token', async (t) => {
    const { log, lines, text } = recordedLog();
    const { url, close } = await listen(hello, '127.0.0.1', 0, { log });
    t.after(close);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const token = 'correct-horse-battery-staple';
    socket.end(`GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nno header\r\n\r\n`);
    await once(socket.resume(), 'close');
    assert.match(String(lines[0]?.['reason']), /^HPE_INVALID_HEADER_TOKEN: Parse Error/);
    for (const traces of [token, [...Buffer.from(token)].join(',')]) assert.ok(!text().includes(traces), text());
  });

  test('takes a request whatever it expects', async (t) => {
    const { url, close } = await listen(hello, '127.0.0.1', 0);
    t.after(close);
    const request = get(url, { headers: { Expect: 'coffee' } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    assert.equal(response.statusCode, 200);
  });

  test('ends the connection of what is no request also when its client does not', { timeout: 10_000 }, async (t) => {
    const { url, close } = await listen(hello, '127.0.0.1', 0);
    t.after(close);
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.write('GARBAGE\r\n\r\n');
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
      socket.write('and more'); // which is not answered again
    });
    const writing = setInterval(() => socket.write('and more'), 50); // fails once the server has closed its side
    t.after(() => clearInterval(writing));
    await new Promise((resolve) => socket.once('close', resolve)); // not `once`, which an error would reject
    assert.equal(answer.split('HTTP/1.1 400').length - 1, 1);
  });
});
