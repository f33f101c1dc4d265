import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { argmax } from '@atelier/domain';
import type { EvaluationReport } from '@atelier/evaluation';
import { listen, type Listening } from '@atelier/http';
import request from 'supertest';
import { problemOf } from '../support/answers.ts';
import { eventually } from '../support/eventually.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { pngOf } from '../support/pictures.ts';
import { publishTiny, randomImage, tinyClassifier } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { zipFile } from '../support/zip-file.ts';
import { idxFile } from '../unit/fashion-mnist/drawn-dataset.ts';

const COUNT = 150;
/** With a black border, as the data set's have: what is made of such a file is its pixels. */
const images = Array.from({ length: COUNT }, (_, index) =>
  randomImage(index + 1).map((pixel, place) => {
    const [x, y] = [place % 28, Math.floor(place / 28)];
    return x === 0 || y === 0 || x === 27 || y === 27 ? 0 : pixel;
  }),
);
const labels = Uint8Array.from(images, (_, index) => index % 10);
const imageFile = idxFile([COUNT, 28, 28], Buffer.concat(images));
const labelFile = idxFile([COUNT], labels);

describe('POST /evaluate', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: InferenceUnderTest;
  let server: Listening;
  let scratch: string;
  /** The share that is right, by plain arithmetic. */
  const { probabilities } = tinyClassifier();
  const right = images.filter((image, index) => argmax(Float32Array.from(probabilities(image))) === index % 10).length;

  before(async () => {
    folder = await temporaryFolder();
    scratch = join(folder.path, 'scratch');
    const models = join(folder.path, 'models');
    await mkdir(scratch);
    await publishTiny(models);
    await publishTiny(models, { seed: 2 });
    const limits = { maximumUploadBytes: 2_000_000, maximumEntries: 1_000, evaluations: 1, evaluationUploads: 2 };
    service = await openInference(models, {
      ...limits,
      scratchDirectory: scratch,
      datasetCache: join(scratch, 'none'),
    });
    server = await listen(service.app, '127.0.0.1', 0);
  });
  after(async () => {
    await server.close();
    await service.close();
    await folder.remove();
  });

  const evaluate = (query = '') => request(server.url).post(`/evaluate${query}`);
  const report = async (sent: request.Test) => (await sent.expect(200)).body as EvaluationReport;
  const scratchBytes = (bytes: number) =>
    eventually(`${bytes} bytes on the disk`, () => (service.evaluation.scratch.bytes === bytes ? true : null));
  const pictures = () =>
    Promise.all(images.map(async (image, index) => ({ name: `${index % 10}/${index}.png`, data: await pngOf(image) })));

  test('gives the same accuracy for IDX files, plain or gzip, and for CSV, as arithmetic does', async () => {
    const header = ['label', ...Array.from({ length: 784 }, (_, index) => `pixel${index + 1}`)].join(',');
    const csv = [header, ...images.map((image, index) => [labels[index], ...image].join(','))].join('\n');
    const form = (first: Buffer, second: Buffer) =>
      evaluate('?version=1').attach('labels', first, 'labels').attach('images', second, 'images');
    for (const [measured, input] of [
      [await report(form(labelFile, imageFile)), 'idx'],
      [await report(form(gzipSync(labelFile), gzipSync(imageFile))), 'idx'],
      [await report(evaluate('?version=1').attach('csv', Buffer.from(csv), 'x.csv')), 'csv'],
      [await report(evaluate('?version=1').type('text/csv').send(csv)), 'csv'],
    ] as const) {
      assert.equal(measured.examples, COUNT);
      assert.equal(measured.accuracy, right / COUNT);
      assert.equal(measured.input.form, input);
      assert.equal(measured.model.version, 1);
      assert.match(measured.input.digest, /^sha256:[0-9a-f]{64}$/);
    }
  });

  test('gives it for a ZIP of pictures, and lists what cannot be read', async () => {
    const entries = [
      ...(await pictures()),
      { name: '3/text.png', data: Buffer.from('no picture') },
      { name: '../up.png', data: Buffer.from('x') },
      { name: '3/cut.png', data: (await pngOf(randomImage(9))).subarray(0, 200) },
      { name: '3/lies.png', data: await pngOf(randomImage(9)), bytes: 10 },
      { name: '3/empty.png' },
      { name: '3/.DS_Store', data: Buffer.from('x') },
    ];
    for (const sent of [
      evaluate('?version=1').attach('archive', zipFile(entries), 'folder.zip'),
      evaluate('?version=1').type('application/zip').send(zipFile(entries)),
    ]) {
      const { examples, accuracy, input, unreadable, timingsMs, seconds, imagesPerSecond } = await report(sent);
      assert.deepEqual([input.form, input.ignored], ['zip', 1]);
      assert.deepEqual([examples, accuracy], [COUNT, right / COUNT]);
      assert.deepEqual(Object.fromEntries(unreadable.shown.map(({ name, code }) => [name, code])), {
        '3/text.png': 'unsupported-media-type',
        '../up.png': 'unsafe-entry',
        '3/cut.png': 'undecodable-image',
        '3/lies.png': 'unreadable-entry',
        '3/empty.png': 'missing-image',
      });
      assert.equal(unreadable.count, 5);
      assert.ok(seconds > 0 && imagesPerSecond > 0);
      for (const step of ['receive', 'read', 'decode', 'predict']) assert.ok((timingsMs[step] ?? -1) >= 0, step);
    }
  });

  test('compares two versions, and takes no more images than it is told', async () => {
    const sent = evaluate('?version=1&against=2&limit=100')
      .attach('images', imageFile, 'i')
      .attach('labels', labelFile, 'l');
    const { examples, comparison } = await report(sent);
    assert.equal(examples, 100);
    assert.equal(comparison?.against.version, 2);
    assert.ok(comparison.differing.count > 0);
  });

  test('answers CSV and a page where Accept asks for them', async () => {
    const sent = (accept: string) =>
      evaluate('?limit=20').set('Accept', accept).attach('images', imageFile, 'i').attach('labels', labelFile, 'l');
    const csv = await sent('text/csv')
      .expect(200)
      .expect('Content-Type', /text\/csv/);
    assert.match(csv.text, /^section,item,measure,value\r\n/);
    const page = await sent('text/html')
      .expect(200)
      .expect('Content-Type', /text\/html/);
    assert.match(page.text, /^<!doctype html>/i);
    assert.match(page.headers['content-security-policy'] ?? '', /default-src 'none'/);
    await sent('image/png').expect(200).expect('Content-Type', /json/);
  });

  test('leaves nothing on the disk, whatever became of it', async () => {
    await problemOf(
      evaluate().attach('archive', Buffer.from('PK\u0003\u0004 and nothing'), 'x.zip'),
      422,
      'malformed-archive',
    );
    assert.deepEqual(await readdir(scratch), []);
    assert.equal(service.evaluation.scratch.bytes, 0);
  });

  describe('refuses', () => {
    test('an upload above its limit while the client is still sending it', async () => {
      const large = Buffer.alloc(3_000_000, 'x');
      const inForm = await problemOf(evaluate().attach('archive', large, 'x.zip'), 413, 'payload-too-large');
      assert.match(inForm.detail ?? '', /"archive" exceeds 2000000 bytes/);
      await problemOf(evaluate().type('application/zip').send(large), 413, 'payload-too-large');
    });

    test('an archive with more entries than are taken', async () => {
      const many = zipFile(Array.from({ length: 1_001 }, (_, index) => ({ name: `1/${index}.png` })));
      await problemOf(evaluate().attach('archive', many, 'x.zip'), 413, 'archive-too-large');
    });

    test('what has not one image that can be measured, and says why the first was left out', async () => {
      const unlabelled = zipFile([{ name: 'hats/1.png', data: await pngOf(randomImage(1)) }]);
      const { detail } = await problemOf(evaluate().attach('archive', unlabelled, 'x.zip'), 422, 'no-examples');
      assert.match(detail ?? '', /hats\/1\.png/);
    });

    test('a file of labels, IDX and CSV that cannot be read', async () => {
      const bad = zipFile([{ name: 'labels.csv', data: Buffer.from('x.png,hat') }]);
      await problemOf(evaluate().attach('archive', bad, 'x.zip'), 422, 'malformed-labels');
      const short = evaluate().attach('images', imageFile.subarray(0, -1), 'i').attach('labels', labelFile, 'l');
      await problemOf(short, 422, 'malformed-idx');
      await problemOf(evaluate().type('text/csv').send('a,b\n1,2'), 422, 'malformed-csv');
    });

    test('fields of other names, text in their place, three files, and a form that breaks off', async () => {
      await problemOf(evaluate().attach('file', imageFile, 'i'), 422, 'invalid-request');
      const text = await problemOf(evaluate().field('archive', 'folder.zip'), 422, 'invalid-request');
      assert.match(text.errors?.[0]?.detail ?? '', /the @ included/);
      const three = ['images', 'labels', 'csv'].reduce((sent, name) => sent.attach(name, labelFile, name), evaluate());
      await problemOf(three, 422, 'invalid-request');
      const broken = evaluate().set('Content-Type', 'multipart/form-data; boundary=x').send('--x\r\nContent-Disp');
      await problemOf(broken, 400, 'malformed-multipart');
      await problemOf(evaluate().attach('images', imageFile, 'i'), 422, 'missing-image');
      const zip = zipFile([{ name: '1/a.png' }]);
      const archives = evaluate().attach('archive', zip, 'a.zip').attach('archive', zip, 'b.zip');
      assert.match(
        (await problemOf(archives, 422, 'invalid-request')).detail ?? '',
        /a ZIP archive; .*a ZIP archive\./,
      );
    });

    test('other media types, encodings, queries and data sets', async () => {
      await problemOf(evaluate().type('text/plain').send('x'), 415, 'unsupported-media-type');
      await problemOf(
        evaluate().type('text/csv').set('Content-Encoding', 'gzip').send('x'),
        415,
        'unsupported-media-type',
      );
      for (const query of ['?version=1&label=stable', '?limit=0', '?against=x', '?what=1']) {
        await problemOf(evaluate(query).type('text/csv').send('x'), 422, 'invalid-request');
      }
      await problemOf(evaluate('?version=7').type('text/csv').send('x'), 404, 'model-not-found');
      await problemOf(evaluate('?against=7').type('text/csv').send('x'), 404, 'model-not-found');
      await problemOf(evaluate().send({ dataset: 'mnist' }), 422, 'invalid-request');
      const { detail } = await problemOf(evaluate().send({ dataset: 'fashion-mnist' }), 409, 'dataset-not-found');
      assert.ok(!(detail ?? '').includes(scratch));
    });
  });

  /** An upload of which a part has come; it is given up by `destroy`. */
  async function begun(url = server.url): Promise<ClientRequest> {
    const headers = { 'Content-Type': 'application/zip', 'Content-Length': 1_000_000 };
    const slow = httpRequest(`${url}/evaluate`, { method: 'POST', headers });
    slow.on('error', () => undefined);
    slow.write(Buffer.alloc(100_000));
    await once(slow, 'socket');
    return slow;
  }

  test('keeps nobody out for one whose set is still on its way, but for too many of them; a client that leaves ends its own', async (t) => {
    const uploads = [await begun(), await begun()];
    t.after(() => uploads.map((upload) => upload.destroy()));
    await scratchBytes(200_000);
    const { detail, retryAfter } = await problemOf(evaluate().type('text/csv').send('x'), 429, 'overloaded');
    assert.equal(detail, 'The sets of 2 evaluations are on their way, as many as may at a time.');
    assert.ok(Number(retryAfter) >= 1);
    uploads[0]?.destroy();
    await scratchBytes(100_000);
    const sent = evaluate('?limit=10').attach('images', imageFile, 'i').attach('labels', labelFile, 'l');
    assert.equal((await report(sent)).examples, 10);
    await problemOf(evaluate().type('text/csv').send('x'), 422, 'malformed-csv');
    uploads[1]?.destroy();
    await scratchBytes(0);
  });

  test('has the turns of those whose sets are there in their order, and lets nobody else in meanwhile', async () => {
    const { slots } = service.evaluation;
    const [first, second] = [slots.upload(), slots.upload()];
    const never = new AbortController();
    const release = await slots.turn(never.signal);
    first();
    const left = new AbortController();
    const order: string[] = [];
    const leaving = slots.turn(left.signal);
    const waiting = slots.turn(never.signal).then((free) => {
      order.push('its turn');
      free();
    });
    second();
    assert.throws(() => slots.upload(), { code: 'overloaded', message: /1 evaluations run/ });
    left.abort(new Error('has left'));
    await assert.rejects(leaving, /has left/);
    order.push('released');
    release();
    await waiting;
    assert.deepEqual(order, ['released', 'its turn']);
    slots.upload()();
    (await slots.turn(never.signal))();
  });
});
