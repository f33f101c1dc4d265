import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { createApplication, listen, type Listening, readBody } from '@atelier/http';
import { Router } from 'express';
import request from 'supertest';
import { problemOf } from '../../support/answers.ts';
import { type RecordedLog, recordedLog } from '../../support/recorded-log.ts';

const MAXIMUM = 1000;

describe('a body', () => {
  let recorded: RecordedLog;
  let server: Listening;
  before(async () => {
    recorded = recordedLog();
    const echo = Router().post('/', async (incoming, response) => {
      response.type('text').end((await readBody(incoming, MAXIMUM)).toString('hex'));
    });
    server = await listen(createApplication(recorded.log, [echo]), '127.0.0.1', 0);
  });
  after(() => server.close());
  const post = (encoding?: string) => {
    const started = request(server.url).post('/').set('Content-Type', 'application/octet-stream');
    return encoding === undefined ? started : started.set('Content-Encoding', encoding);
  };

  /** Sends `text` as it is; what has come back when the server has ended the connection. */
  async function talk(text: string, more?: (socket: Socket) => void): Promise<string> {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', () => undefined); // what is still being sent when the connection ends
    socket.write(text);
    more?.(socket);
    await once(socket, 'close');
    return answer;
  }

  test('comes as it is, or decompressed', async () => {
    const body = Buffer.alloc(MAXIMUM, 7);
    for (const [encoding, sent] of [
      [undefined, body],
      ['identity', body],
      ['gzip', gzipSync(body)],
      ['deflate', deflateSync(body)],
      ['br', brotliCompressSync(body)],
    ] as const) {
      const answer = await post(encoding).send(sent).expect(200);
      assert.equal(answer.text, body.toString('hex'), encoding);
    }
    await post().expect(200);
  });

  test('is refused above its limit, which counts after decompression', async () => {
    const tooLarge = Buffer.alloc(MAXIMUM + 1);
    await problemOf(post().send(tooLarge), 413, 'payload-too-large');
    await problemOf(post('gzip').send(gzipSync(Buffer.alloc(50_000_000))), 413, 'payload-too-large');
  });

  test('is refused when its compressed form alone is above the limit, whatever it decompresses to', async () => {
    // Empty stored blocks of DEFLATE (RFC 1951, section 3.2.4): five bytes that stand for none.
    const padding = Buffer.concat(Array<Buffer>(MAXIMUM).fill(Buffer.from([0, 0, 0, 0xff, 0xff])));
    const padded = Buffer.concat([deflateRawSync(Buffer.alloc(10), { finishFlush: constants.Z_SYNC_FLUSH }), padding]);
    const header = Buffer.from([0x78, 0x9c]);
    const chunk = Buffer.concat([header, padded]);
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n';
    const answer = await talk(`${head}${chunk.length.toString(16)}\r\n`, (socket) => socket.write(chunk));
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.match(answer, /payload-too-large/);
  });

  test('is held once, and no longer than whoever reads it does', async (t) => {
    const size = 4 * 1024 * 1024;
    const held: Buffer[] = [];
    const hold = Router().post('/', async (incoming) => {
      held.push(await readBody(incoming, size)); // and no answer: the requests stay open
    });
    const holder = await listen(createApplication(recorded.log, [hold]), '127.0.0.1', 0, { graceMs: 100 });
    t.after(() => holder.close());
    const collectGarbage = garbageCollector();
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    const body = Buffer.alloc(size, 1);
    const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`;
    for (let count = 0; count < 8; count++) {
      const socket = connect(Number(new URL(holder.url).port), '127.0.0.1');
      socket.on('error', () => undefined); // cut off at the end
      socket.write(head);
      socket.write(body);
      t.after(() => socket.destroy());
    }
    while (held.length < 8) await setTimeout(10);
    const bodiesHeld = () => {
      collectGarbage();
      return (process.memoryUsage().arrayBuffers - before - size) / (8 * size);
    };
    // Buffers are freed some time after the objects that held them; what is kept stays.
    for (let tries = 0; tries < 100 && bodiesHeld() >= 1.5; tries++) await setTimeout(20);
    assert.ok(bodiesHeld() < 1.5, `a body takes ${bodiesHeld()} times its size`);
  });

  test('is refused in words of ours; those of the library are for the log', async () => {
    const { detail } = await problemOf(post('gzip').send('no gzip'), 400, 'malformed-body');
    assert.equal(detail, 'The body is not compressed as its Content-Encoding says.');
    assert.match(recorded.text(), /incorrect header check/);
    const other = await problemOf(post('zip').send('x'), 415, 'unsupported-media-type');
    assert.equal(other.detail, 'Content-Encoding "zip"; expected gzip, x-gzip, deflate, br or none.');
  });

  test(
    'that declares too much is refused before it is sent, and the connection ends',
    { timeout: 10_000 },
    async () => {
      const answer = await talk('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 400000000\r\n\r\n');
      assert.match(answer, /^HTTP\/1\.1 413 /);
      assert.match(answer, /^Connection: close\r$/im);
      assert.match(answer, /"type":"\/problems\/payload-too-large".*\}$/);
    },
  );

  test('without an end is refused once it is too large, and the connection ends', { timeout: 10_000 }, async () => {
    const chunk = `400\r\n${'a'.repeat(0x400)}\r\n`;
    const answer = await talk('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n', (socket) => {
      const sending = setInterval(() => socket.write(chunk), 5);
      socket.once('close', () => clearInterval(sending));
    });
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.match(answer, /^Connection: close\r$/im);
  });
});

/** The engine's own, which is otherwise there only under a flag. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
