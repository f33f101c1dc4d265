import assert from 'node:assert/strict';
import { Agent, get, type IncomingMessage, type RequestListener } from 'node:http';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { listen } from '@atelier/http';

const hello: RequestListener = (_request, response) => void response.end('hello');

async function getFrom(url: string, agent: Agent | false = false): Promise<IncomingMessage> {
  const request = get(url, { agent });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response;
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
    const { url, close } = await listen(() => undefined, '127.0.0.1', 0, 50);
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
});
