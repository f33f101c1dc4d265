import assert from 'node:assert/strict';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import request from 'supertest';
import { problemOf } from '../support/answers.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { garmentImage, pngOf } from '../support/pictures.ts';
import { OVERFLOWING_PIXEL, publishTiny } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const pixels = [...garmentImage()];
/** A row of pixels with one of them replaced. */
const rowWith = (place: number, value: unknown) => pixels.map((pixel, index) => (index === place ? value : pixel));

describe('POST /predict refuses', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: InferenceUnderTest;
  before(async () => {
    folder = await temporaryFolder();
    await publishTiny(folder.path, { overflow: true });
    service = await openInference(folder.path, {
      maximumBodyBytes: 200_000,
      maximumJsonBytes: 100_000,
      maximumImages: 8,
      maximumFiles: 3,
      maximumPixels: 10_000,
    });
  });
  after(async () => {
    await service.close();
    await folder.remove();
  });
  const post = (path = '/predict') => request(service.app).post(path);
  const postJson = (body: string) => post().set('Content-Type', 'application/json').send(body);

  test('a body of a type that carries no image, and none at all', async () => {
    for (const type of ['text/plain', 'application/xml', 'multipart/mixed']) {
      const { detail } = await problemOf(post().set('Content-Type', type).send('x'), 415, 'unsupported-media-type');
      assert.match(detail ?? '', new RegExp(type));
    }
    await problemOf(post(), 415, 'unsupported-media-type');
  });

  test('content that is no image, whatever its type says', async () => {
    const body = post().set('Content-Type', 'image/png').send('plain text');
    await problemOf(body, 415, 'unsupported-media-type');
    await problemOf(post().attach('image', Buffer.from('text'), 'shoe.png'), 415, 'unsupported-media-type');
    const base64 = Buffer.from('text').toString('base64');
    const { detail } = await problemOf(post().send({ images: [base64] }), 415, 'unsupported-media-type');
    assert.match(detail ?? '', /^\/images\/0: /);
  });

  test('charsets and encodings that it cannot read', async () => {
    const charset = post().set('Content-Type', 'application/json; charset=koi8-x').send('{}');
    await problemOf(charset, 415, 'unsupported-media-type');
    const encoding = post().set({ 'Content-Type': 'image/png', 'Content-Encoding': 'zip' }).send('x');
    await problemOf(encoding, 415, 'unsupported-media-type');
  });

  test('a body whose compression is broken', async () => {
    const broken = post().set({ 'Content-Type': 'image/png', 'Content-Encoding': 'gzip' }).send('no gzip');
    await problemOf(broken, 400, 'malformed-body');
  });

  test('a broken image, and says which of several', async () => {
    const whole = await pngOf(garmentImage());
    const broken = whole.subarray(0, whole.length / 2);
    const alone = await problemOf(post().set('Content-Type', 'image/png').send(broken), 422, 'undecodable-image');
    assert.equal(alone.detail, 'The body: The image is damaged or incomplete.');
    const second = post().attach('image', whole, 'a.png').attach('image', broken, 'b.png');
    const { detail } = await problemOf(second, 422, 'undecodable-image');
    assert.equal(detail, 'File 2: The image is damaged or incomplete.');
  });

  test('images with too many pixels together', async () => {
    const half = await sharp({ create: { width: 60, height: 100, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    await post().attach('image', half, 'a.png').expect(200);
    const both = post().attach('image', half, 'a.png').attach('image', half, 'b.png');
    const { detail } = await problemOf(both, 413, 'image-too-large');
    assert.equal(detail, 'File 2: Up to this image those of the request count 12000 pixels; at most 10000 are taken.');
  });

  test('an image with too many pixels', async () => {
    const file = await sharp({ create: { width: 101, height: 100, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    await problemOf(post().set('Content-Type', 'image/png').send(file), 413, 'image-too-large');
  });

  test('a body that is too large, compressed or not', async () => {
    const { gzipSync } = await import('node:zlib');
    const large = Buffer.alloc(200_001);
    await problemOf(post().set('Content-Type', 'image/png').send(large), 413, 'payload-too-large');
    const bomb = post().set({ 'Content-Type': 'image/png', 'Content-Encoding': 'gzip' }).send(gzipSync(large));
    const { detail } = await problemOf(bomb, 413, 'payload-too-large');
    assert.equal(detail, 'The body exceeds 200000 bytes.');
    const json = await problemOf(postJson(JSON.stringify('x'.repeat(100_000))), 413, 'payload-too-large');
    assert.equal(json.detail, 'The body exceeds 100000 bytes.', 'JSON has a limit of its own');
  });

  test('too many images, in each form', async () => {
    const file = await pngOf(garmentImage());
    const form = post();
    for (let count = 0; count < 4; count++) form.attach('image', file, 'a.png');
    const files = await problemOf(form, 413, 'too-many-images');
    assert.equal(files.detail, 'More than 3 images came; at most 3 of this form are taken.');
    const base64 = file.toString('base64');
    await problemOf(post().send({ images: [base64, base64, base64, base64] }), 413, 'too-many-images');
    const rows = await problemOf(post().send({ pixels: Array(9).fill(pixels) }), 413, 'too-many-images');
    assert.equal(rows.detail, '9 images came; at most 8 of this form are taken.');
    await post()
      .send({ pixels: Array(8).fill(pixels) })
      .expect(200);
  });

  test('a form without an image, and names the fields that came', async () => {
    const wrong = await problemOf(post().attach('file', Buffer.from('x'), 'a.png'), 422, 'missing-image');
    assert.match(wrong.detail ?? '', /"image".*"file"/);
  });

  test('a file that was sent as text, and parts without a name, and says so', async () => {
    const text = await problemOf(post().field('image', 'shoe.png'), 422, 'missing-image');
    assert.equal(
      text.detail,
      'The field "image" came as text; expected a file (with curl: -F image=@shoe.png, the @ included).',
    );
    const form = post()
      .attach('image', await pngOf(garmentImage()), 'a.png')
      .field('image', 'b.png');
    const { errors } = await problemOf(form, 422, 'invalid-request');
    assert.match(errors?.[0]?.detail ?? '', /^came as text/);
    const nameless = '--b\r\nContent-Disposition: form-data\r\n\r\n\r\n--b--\r\n';
    const missing = post().set('Content-Type', 'multipart/form-data; boundary=b').send(nameless);
    assert.match((await problemOf(missing, 422, 'missing-image')).detail ?? '', /a part without a name/);
  });

  test('an empty body where a file should be', async () => {
    await problemOf(post().set('Content-Type', 'image/png').send(''), 422, 'missing-image');
    await problemOf(post().set('Content-Type', 'image/png'), 422, 'missing-image');
    await problemOf(post().attach('image', Buffer.alloc(0), 'a.png'), 422, 'missing-image');
  });

  test('a form with fields that do not belong there', async () => {
    const form = post()
      .attach('image', await pngOf(garmentImage()), 'a.png')
      .field('colour', 'red');
    const { errors } = await problemOf(form, 422, 'invalid-request');
    assert.deepEqual(errors, [{ parameter: 'colour', detail: 'no such field' }]);
  });

  test('a form of nothing but names, whose first ones it tells', async () => {
    const form = post();
    for (let count = 0; count < 18; count++) form.field(`field-${count}`, 'x');
    const { detail, errors } = await problemOf(form, 422, 'invalid-request');
    assert.equal(detail, 'Expected files in the field "image" and nothing else.');
    assert.equal(errors?.length, 16);
  });

  test('a form that is broken off, or has no boundary', async () => {
    const start = '--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\nbytes';
    for (const [type, body] of [
      ['multipart/form-data; boundary=b', start],
      ['multipart/form-data; boundary=b', '--b'],
      ['multipart/form-data', start],
    ] as const) {
      const answer = post().set('Content-Type', type).send(body);
      const { detail } = await problemOf(answer, 400, 'malformed-multipart');
      assert.match(detail ?? '', /^The (body is not multipart\/form-data: it breaks off|Content-Type of the form)/);
    }
  });

  test('what is no JSON, NaN and Infinity included', async () => {
    for (const body of ['{"pixels": [[0, 1', '{pixels: []}', '{"pixels": [[NaN]]}', '{"pixels": [[Infinity]]}']) {
      await problemOf(postJson(body), 400, 'malformed-json');
    }
  });

  test('JSON of another shape, and points at what is wrong with it', async () => {
    for (const [body, pointer] of [
      ['[]', ''],
      ['null', ''],
      ['"text"', ''],
      ['{}', ''],
      [JSON.stringify({ images: ['AAAA'], pixels: [pixels] }), ''],
      ['{"images": []}', '/images'],
      ['{"pixels": []}', '/pixels'],
      ['{"pixels": 7}', '/pixels'],
      ['{"images": ["*"]}', '/images/0'],
      ['{"images": [""]}', '/images/0'],
      ['{"images": ["AAAA"], "a/b": 1}', '/a~1b'],
      ['{"pixels": [[1, 2]]}', '/pixels/0'],
      [JSON.stringify({ pixels: [pixels, { length: 784 }] }), '/pixels/1'],
      [JSON.stringify({ pixels: [pixels, [...pixels, 0]] }), '/pixels/1'],
    ] as const) {
      const { errors } = await problemOf(postJson(body), 422, 'invalid-request');
      assert.deepEqual(
        errors?.map((error) => error.pointer),
        [pointer],
        body,
      );
    }
  });

  test('one image without its outer brackets, and says what a row is', async () => {
    const { errors } = await problemOf(post().send({ pixels }), 422, 'invalid-request');
    assert.deepEqual(errors, [{ pointer: '/pixels/0', detail: 'expected a row of 784 numbers; came number' }]);
  });

  test('a pixel that is no whole number from 0 to 255, and points at it', async () => {
    for (const value of [-1, 256, 0.5, null, '7', true, [7], {}]) {
      const answer = post().send({ pixels: [pixels, pixels, pixels, rowWith(17, value)] });
      const { errors } = await problemOf(answer, 422, 'invalid-request');
      assert.deepEqual(
        errors?.map((error) => error.pointer),
        ['/pixels/3/17'],
        JSON.stringify(value),
      );
    }
    const huge = JSON.stringify({ pixels: [rowWith(5, 12_321)] }).replace('12321', '1e999');
    const { errors } = await problemOf(postJson(huge), 422, 'invalid-request');
    assert.deepEqual(errors, [
      { pointer: '/pixels/0/5', detail: 'expected a whole number from 0 to 255; came Infinity' },
    ]);
  });

  test('a whole body of wrong pixels with no more than twenty of their places', async () => {
    const { errors } = await problemOf(
      post().send({ pixels: Array(8).fill(Array(784).fill(256)) }),
      422,
      'invalid-request',
    );
    assert.equal(errors?.length, 20);
  });

  test('a query that it does not know', async () => {
    for (const [query, parameter] of [
      ['top=0', 'top'],
      ['top=11', 'top'],
      ['top=2.5', 'top'],
      ['top=', 'top'],
      ['top=three', 'top'],
      ['top=1&top=2', 'top'],
      ['tops=3', 'tops'],
    ] as const) {
      const { errors } = await problemOf(post(`/predict?${query}`).send({ pixels: [pixels] }), 422, 'invalid-request');
      assert.deepEqual(
        errors?.map((error) => error.parameter),
        [parameter],
        query,
      );
    }
  });

  test('an answer that would be no number', async () => {
    const overflowing = rowWith(OVERFLOWING_PIXEL, 255);
    const { detail } = await problemOf(post().send({ pixels: [overflowing] }), 500, 'engine-fault');
    assert.equal(detail, 'The model computed something that is no number.');
    await post()
      .send({ pixels: [pixels] })
      .expect(200);
  });

  test('other methods with what is allowed, and other routes', async () => {
    const { app } = service;
    for (const [answer, allow] of [
      [request(app).get('/predict'), 'POST, OPTIONS'],
      [request(app).delete('/predict'), 'POST, OPTIONS'],
      [request(app).post('/models'), 'GET, HEAD, OPTIONS'],
      [request(app).put('/healthz'), 'GET, HEAD, OPTIONS'],
      [request(app).post('/'), 'GET, HEAD, OPTIONS'],
    ] as const) {
      await problemOf(answer, 405, 'method-not-allowed');
      assert.equal((await answer).headers['allow'], allow);
    }
    assert.equal((await request(app).options('/predict').expect(204)).headers['allow'], 'POST, OPTIONS');
    for (const path of ['/nothing', '/predict/1', '/%', '/..%2f..%2fetc%2fpasswd']) {
      await problemOf(request(app).get(path), 404, 'route-not-found');
    }
  });

  test('nothing with a fault of its own: whatever comes, the answer is below 500', async () => {
    const file = await pngOf(garmentImage());
    const multipart = Buffer.concat([
      Buffer.from('--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'),
      file,
      Buffer.from('\r\n--b--\r\n'),
    ]);
    const json = Buffer.from(JSON.stringify({ images: [file.toString('base64')], top: 3 }));
    const types = [
      'multipart/form-data; boundary=b',
      'application/json',
      'image/png',
      'multipart/form-data; boundary=',
    ];
    /** One of the bodies with a few bytes replaced and a part of it cut out. */
    const mutated = fc
      .tuple(
        fc.constantFrom(multipart, json, file),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }),
        fc.nat(),
        fc.nat(40),
      )
      .map(([body, changes, cut, length]) => {
        const bytes = Buffer.from(body);
        for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
        const start = cut % bytes.length;
        return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + length)]);
      });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...types), mutated, async (type, body) => {
        const { status } = await post()
          .set('Content-Type', type)
          .serialize((data: unknown) => data as string)
          .send(body);
        assert.ok(status === 200 || (status >= 400 && status < 500), `${status}`);
      }),
      { numRuns: 150 },
    );
  });

  test('nothing more after a client has left in the middle of its body', async (t) => {
    const server = createServer(service.app).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    for (let count = 0; count < 5; count++) {
      const headers = { 'Content-Type': 'image/png', 'Content-Length': '100000' };
      const leaving = httpRequest({ host: '127.0.0.1', port, path: '/predict', method: 'POST', headers });
      leaving.on('error', () => undefined);
      leaving.write('half');
      await new Promise((resolve) => setTimeout(resolve, 20));
      leaving.destroy();
    }
    await request(server)
      .post('/predict')
      .send({ pixels: [pixels] })
      .expect(200);
    const left = service.lines.filter(({ msg }) => msg === 'Client left');
    assert.equal(left.length, 5);
    assert.ok(
      left.every(({ status }) => status === null),
      'none of them was answered',
    );
  });

  test('with nothing of a request’s body or query in the log', async () => {
    const secret = 'do-not-log-me';
    await problemOf(postJson(`{"secret": "${secret}"`), 400, 'malformed-json');
    const { detail } = await problemOf(postJson(secret), 400, 'malformed-json');
    assert.equal(detail, 'The body is not JSON.');
    await problemOf(post(`/predict?${secret}=1`).send({ secret }), 422, 'invalid-request');
    const overflowing = rowWith(OVERFLOWING_PIXEL, 255);
    await problemOf(
      post()
        .set('Authorization', secret)
        .send({ pixels: [overflowing] }),
      500,
      'engine-fault',
    );
    assert.ok(service.lines.length > 0);
    assert.ok(!service.text().includes(secret));
  });
});
