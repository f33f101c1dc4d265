import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { ComputedBatch } from '@atelier/inference';
import request from 'supertest';
import { problemOf } from '../support/answers.ts';
import { commandBody, commandFile, type FragileInference, openFragile } from '../support/fragile-compute.ts';
import { assertProblems, post } from '../support/posted.ts';
import { connectTo, headOf } from '../support/raw-request.ts';
import { until } from '../support/until.ts';

const QUEUE = 8;

describe('a service that is asked for more than it can do', () => {
  let service: FragileInference;
  let computed: ComputedBatch[];
  let turnedAway: number;
  before(async () => {
    const observer = {
      computed: (batch: ComputedBatch) => void computed.push(batch),
      cancelled: () => undefined,
      restarted: () => undefined,
      decoded: () => undefined,
      turnedAway: () => void turnedAway++,
    };
    service = await openFragile({ maximumQueue: QUEUE, workers: 1, decoders: 1 }, { observer });
  });
  after(() => service.close());
  beforeEach(() => {
    computed = [];
    turnedAway = 0;
  });

  const rowsComputed = () => computed.reduce((sum, { rows }) => sum + rows, 0);
  const waits = (rows: number) => until(`${rows} rows wait`, () => service.engine.waiting().rows === rows);

  test('of 10 images for which 8 have room refuses exactly 2, with 429 and when to come back, and never computes them', async () => {
    const posted = await Promise.all(Array.from({ length: 10 }, () => post(service.url, commandBody('slow'))));
    const refused = posted.filter(({ status }) => status !== 200);
    assert.equal(refused.length, 2);
    assertProblems(refused, 429, 'overloaded');
    for (const { retryAfter } of refused) assert.match(retryAfter ?? '', /^[1-9]\d?$/);
    assert.equal(rowsComputed(), 8);
    assert.deepEqual(service.engine.waiting(), { pictures: 0, rows: 0, ratio: 0 });
    await post(service.url, commandBody('well'));
    assert.equal(rowsComputed(), 9, 'and there is room again');
  });

  test('counts images and not requests, and takes a large request where nothing waits', async () => {
    const large = post(service.url, commandBody('slow', QUEUE + 4));
    await waits(QUEUE + 4);
    assertProblems([await post(service.url, commandBody('well'))], 429, 'overloaded');
    assert.equal((await large).status, 200);
    assert.equal(rowsComputed(), QUEUE + 4);
  });

  test('refuses before the body has come', async () => {
    const large = post(service.url, commandBody('slow', QUEUE));
    await waits(QUEUE);
    const connection = await connectTo(service.url);
    connection.write(headOf('/predict', 1_000_000, { 'Content-Type': 'application/json' }));
    const answer = await connection.receives(/\}$/);
    assert.match(answer, /^HTTP\/1\.1 429 /);
    assert.match(answer, /\r\nRetry-After: 1\r\n/);
    assert.equal(turnedAway, 1, 'and it is counted');
    connection.destroy();
    assert.equal((await large).status, 200);
  });

  test('says so as problem details, and stays alive and ready', async () => {
    const large = post(service.url, commandBody('slow', QUEUE));
    await waits(QUEUE);
    const { retryAfter, detail } = await problemOf(
      request(service.app).post('/predict').send(commandBody('well')),
      429,
      'overloaded',
    );
    assert.equal(retryAfter, '1');
    assert.equal(detail, '8 images wait; come back in 1 s.');
    await request(service.app).get('/healthz').expect(200);
    await request(service.app).get('/readyz').expect(200);
    await large;
  });

  test('answers pixels while the decoder has all the pictures that it may, and refuses pictures', async () => {
    const pictures = Array.from({ length: QUEUE }, () => post(service.url, commandFile('slow')));
    await until('they wait', () => service.engine.waiting().pictures === QUEUE);
    assert.equal((await post(service.url, commandBody('well'))).status, 200);
    const base64 = { images: [commandFile('well').toString('base64')] };
    for (const picture of [commandFile('well'), base64]) {
      assertProblems([await post(service.url, picture)], 429, 'overloaded');
    }
    assert.equal(turnedAway, 2, 'each once, at whichever place');
    for (const { status } of await Promise.all(pictures)) assert.equal(status, 200);
    assert.deepEqual(service.engine.waiting(), { pictures: 0, rows: 0, ratio: 0 });
  });

  test('refuses pictures for which the engines would have no room, before they are decoded', async () => {
    await service.asked();
    const large = post(service.url, commandBody('slow', QUEUE));
    await waits(QUEUE);
    assertProblems([await post(service.url, commandFile('well'))], 429, 'overloaded');
    await large;
    assert.equal((await service.asked()).pictures, 0);
  });
});
