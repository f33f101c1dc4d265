import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { BodyBudget, BodyLease, createApplication, listen, type Listening, readBody } from '@atelier/http';
import { Router } from 'express';
import { connectTo, headOf, type RawRequest } from '../../support/raw-request.ts';
import { recordedLog } from '../../support/recorded-log.ts';

const MAXIMUM = 10_000;

describe('bodies that a server holds together', { timeout: 20_000 }, () => {
  let server: Listening;
  /** Lets the requests be answered whose bodies have come. */
  let answer: () => void;
  let read: number;
  let open: RawRequest[];
  beforeEach(async () => {
    const answered = new Promise<void>((resolve) => (answer = resolve));
    read = 0;
    open = [];
    const route = Router().post('/', async (request, response) => {
      const { length } = await readBody(request, 1_000_000);
      read++;
      await answered;
      response.json({ length });
    });
    const options = { bodies: new BodyBudget(MAXIMUM) };
    server = await listen(createApplication(recordedLog().log, [route]), '127.0.0.1', 0, options);
  });
  afterEach(async () => {
    for (const connection of open) connection.destroy();
    await server.close();
  });

  async function send(announced: number, sent: number): Promise<RawRequest> {
    const connection = await connectTo(server.url);
    open.push(connection);
    connection.write(headOf('/', announced));
    if (sent > 0) connection.write('a'.repeat(sent));
    return connection;
  }

  async function untilRead(count: number): Promise<void> {
    while (read < count) await new Promise(setImmediate);
  }

  test('are refused before they are read where there is no room, until one has been answered', async () => {
    const first = await send(8_000, 8_000);
    await untilRead(1);
    const refused = await (await send(4_000, 0)).receives(/\}$/);
    assert.match(refused, /^HTTP\/1\.1 429 [^]*\r\nRetry-After: 1\r\n[^]*"type":"\/problems\/overloaded"/);
    const second = await send(2_000, 2_000);
    await untilRead(2);
    answer();
    for (const connection of [first, second]) await connection.receives(/"length":\d000\}$/);
    await (await send(9_000, 9_000)).receives(/"length":9000\}$/);
  });

  test('count as they come: who announces much and sends nothing takes no room', async () => {
    await send(9_999, 1);
    answer();
    await (await send(9_000, 9_000)).receives(/"length":9000\}$/);
  });

  test('give their room back when the client leaves and when they are refused on the way', async () => {
    const left = await send(9_000, 8_000);
    const chunked = await connectTo(server.url);
    open.push(chunked);
    chunked.write('POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n');
    chunked.write(`1388\r\n${'a'.repeat(5_000)}\r\n`);
    assert.match(await chunked.receives(/\}$/), /^HTTP\/1\.1 429 /);
    left.destroy();
    answer();
    for (let tries = 0; ; tries++) {
      const again = await send(9_000, 9_000);
      if ((await again.receives(/\}$/)).includes(' 200 ')) break;
      assert.ok(tries < 100, 'its room never came back');
    }
  });

  test('change nothing any more when they have been given back: what comes late is nobody’s', () => {
    const budget = new BodyBudget(MAXIMUM);
    const lease = new BodyLease(budget);
    lease.take(5_000);
    lease.end();
    lease.take(3_000);
    assert.equal(budget.held, 0);
    lease.giveBack(5_000);
    assert.equal(budget.held, 0);
  });

  test('are let in alone, however large', async () => {
    answer();
    await (await send(50_000, 50_000)).receives(/"length":50000\}$/);
  });
});
