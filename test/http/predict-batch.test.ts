import assert from 'node:assert/strict';
import { Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { listen, type Listening } from '@atelier/http';
import { BatchLine } from '@atelier/inference';
import request from 'supertest';
import { bodyOf, problemOf } from '../support/answers.ts';
import { eventually } from '../support/eventually.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { garmentImage, pngOf, pngVariants } from '../support/pictures.ts';
import { publishTiny } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { zipFile } from '../support/zip-file.ts';

const BOUNDARY = 'a-boundary';

function part(name: string, bytes: Uint8Array, field = 'image'): Buffer {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field}"; filename="${name}"\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from('\r\n')]);
}
const END = Buffer.from(`--${BOUNDARY}--\r\n`);

describe('POST /predict/batch', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: InferenceUnderTest;
  let server: Listening;
  let png: Buffer;
  let scratch: string;
  const agent = new Agent();

  before(async () => {
    folder = await temporaryFolder();
    scratch = join(folder.path, 'scratch');
    await mkdir(scratch);
    await publishTiny(join(folder.path, 'models'));
    const limits = { maximumUploadBytes: 50_000_000, maximumEntries: 30_000, maximumEntryBytes: 100_000 };
    service = await openInference(join(folder.path, 'models'), { ...limits, scratchDirectory: scratch });
    server = await listen(service.app, '127.0.0.1', 0);
    png = await pngOf(garmentImage());
  });
  after(async () => {
    agent.destroy();
    await server.close();
    await service.close();
    await folder.remove();
  });

  const batch = (query = '') => request(server.url).post(`/predict/batch${query}`);
  const linesOf = (text: string) =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => BatchLine.parse(JSON.parse(line)));

  /** A form that is still being written. */
  function open(): ClientRequest {
    const headers = { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}`, 'Transfer-Encoding': 'chunked' };
    const sent = httpRequest(`${server.url}/predict/batch`, { method: 'POST', headers, agent });
    sent.on('error', () => undefined);
    return sent;
  }

  test('answers each file of a form as POST /predict does, in order, a broken one by its error', async () => {
    const variants = await pngVariants(garmentImage());
    let sent = batch('?top=2&preview=true');
    for (const { name, file } of variants) sent = sent.attach('image', file, `${name}.png`);
    sent = sent.attach('image', Buffer.from('no picture'), 'text.png').attach('image', png.subarray(0, 90), 'cut.png');
    const { text, headers } = await sent
      .expect(200)
      .expect('Content-Type', 'application/x-ndjson')
      .buffer(true)
      .parse((response, done) => {
        let all = '';
        (response as unknown as IncomingMessage).setEncoding('utf8').on('data', (piece: string) => (all += piece));
        response.on('end', () => done(null, all));
      })
      .then((response) => ({ text: response.body as string, headers: response.headers }));
    const lines = linesOf(text);
    assert.equal(headers['x-model-version'], '1');
    assert.deepEqual(
      lines.map(({ index, name }) => [index, name]),
      [...variants.map(({ name }, index) => [index, `${name}.png`]), [8, 'text.png'], [9, 'cut.png']],
    );
    for (const [index, { file }] of variants.entries()) {
      const alone = request(server.url).post('/predict?top=2&preview=true').attach('image', file, 'x.png');
      const { predictions } = (await bodyOf(alone)) as { predictions: object[] };
      assert.deepEqual(lines[index], { index, name: lines[index]?.name, ...predictions[0] });
    }
    assert.deepEqual(
      lines.slice(8).map((line) => ('error' in line ? line.error.code : null)),
      ['unsupported-media-type', 'undecodable-image'],
    );
  });

  test('answers an archive, as the body or in a form, in the order of its directory, whatever its folders', async () => {
    const archive = zipFile([
      { name: 'a.png', data: png },
      { name: '../b.png', data: png },
      { name: 'deep/er/c.png', data: png },
      { name: 'd.png', data: png, crc: 7 },
    ]);
    const text = (sent: request.Test) =>
      sent.buffer(true).parse((response, done) => {
        let all = '';
        (response as unknown as IncomingMessage).setEncoding('utf8').on('data', (piece: string) => (all += piece));
        response.on('end', () => done(null, all));
      });
    for (const sent of [batch().type('application/zip').send(archive), batch().attach('archive', archive, 'x.zip')]) {
      const lines = linesOf((await text(sent).expect(200)).body as string);
      assert.deepEqual(
        lines.map((line) => `${line.index} ${line.name} ${'error' in line ? line.error.code : line.label}`),
        [
          `0 a.png ${labelOf(lines[0])}`,
          '1 ../b.png unsafe-entry',
          `2 deep/er/c.png ${labelOf(lines[0])}`,
          '3 d.png unreadable-entry',
        ],
      );
    }
    assert.deepEqual(await readdir(scratch), []);
  });

  test('answers files while others are still to come', async () => {
    const sent = open();
    sent.write(Buffer.concat([part('first.png', png), part('second.png', png)]));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const lines = createInterface({ input: response })[Symbol.asyncIterator]();
    const next = async () => BatchLine.parse(JSON.parse(String((await lines.next()).value)));
    assert.equal((await next()).name, 'first.png');
    sent.end(Buffer.concat([part('third.png', png), END]));
    assert.deepEqual([(await next()).name, (await next()).name], ['second.png', 'third.png']);
    assert.equal((await lines.next()).done, true);
  });

  test(
    'does not read on from a client that does not read, and holds little meanwhile',
    { timeout: 60_000 },
    async () => {
      const sent = open();
      const many = Buffer.concat(Array.from({ length: 200 }, (_, index) => part(`${index}.png`, png)));
      const responding = once(sent, 'response') as Promise<[IncomingMessage]>;
      let written = 0;
      let isFull = false;
      for (; written < 20_000 && !isFull; written += 200) {
        isFull =
          !sent.write(many) && !(await Promise.race([once(sent, 'drain').then(() => true), pause(1_500, false)]));
      }
      assert.ok(isFull, 'the service went on reading to the end');
      const [response] = await responding;
      sent.end(END);
      let lines = 0;
      for await (const line of createInterface({ input: response })) {
        assert.equal((JSON.parse(line) as BatchLine).index, lines++);
      }
      assert.equal(lines, written, 'what was sent is answered when the client reads');
    },
  );

  test('stops when the client leaves, and another batch may begin', async () => {
    const sent = open();
    sent.write(Buffer.concat([part('first.png', png), part('second.png', png)]));
    await once(sent, 'response');
    await problemOf(batch().type('application/zip').send('x'), 429, 'overloaded');
    sent.destroy();
    await eventually('the slot is free', async () => {
      const { status } = await batch().type('application/zip').send('x');
      return status === 429 ? null : status;
    });
  });

  test('has a file that is too large as a line, and goes on', async () => {
    const sent = open();
    sent.end(Buffer.concat([part('large.png', Buffer.alloc(100_001)), part('small.png', png), END]));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const found: string[] = [];
    for await (const line of createInterface({ input: response })) {
      const parsed = BatchLine.parse(JSON.parse(line));
      found.push('error' in parsed ? parsed.error.code : parsed.name);
    }
    assert.deepEqual(found, ['entry-too-large', 'small.png']);
  });

  test('refuses what it cannot begin with', async () => {
    await problemOf(batch().send({ images: [] }), 415, 'unsupported-media-type');
    await problemOf(batch().attach('picture', png, 'x.png'), 422, 'invalid-request');
    await problemOf(batch('?explain=gradient').attach('image', png, 'x.png'), 422, 'invalid-request');
    await problemOf(batch('?version=9').attach('image', png, 'x.png'), 404, 'model-not-found');
    await problemOf(batch().type('application/zip').send('no archive'), 422, 'malformed-archive');
    const empty = await problemOf(batch().type('application/zip').send(zipFile([])), 422, 'missing-image');
    assert.match(empty.detail ?? '', /^The archive has no picture/);
    const form = batch().set('Content-Type', `multipart/form-data; boundary=${BOUNDARY}`).send(String(END));
    assert.match((await problemOf(form, 422, 'missing-image')).detail ?? '', /the form has neither/);
    const broken = batch().set('Content-Type', `multipart/form-data; boundary=${BOUNDARY}`).send('--a-bound');
    await problemOf(broken, 400, 'malformed-multipart');
  });

  function labelOf(line: BatchLine | undefined): string {
    return line !== undefined && 'label' in line ? line.label : '';
  }
});
