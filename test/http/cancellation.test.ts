import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type CancelStage, PICTURES_PER_DECODER } from '@atelier/inference';
import { commandBody, commandFile, type FragileInference, openFragile } from '../support/fragile-compute.ts';
import { post, postAndLeave } from '../support/posted.ts';
import { randomImage } from '../support/published-version.ts';
import { connectTo, headOf } from '../support/raw-request.ts';
import { until } from '../support/until.ts';

describe('a client that leaves', () => {
  let service: FragileInference;
  let cancellations: CancelStage[];
  beforeEach(async () => {
    cancellations = [];
    const observer = {
      computed: () => undefined,
      cancelled: (stage: CancelStage) => void cancellations.push(stage),
      restarted: () => undefined,
      decoded: () => undefined,
      turnedAway: () => undefined,
    };
    service = await openFragile({ workers: 1, decoders: 1 }, { observer });
  });
  afterEach(() => service.close());

  const nothingWaits = () =>
    until('nothing waits', () => Object.values(service.engine.waiting()).every((count) => count === 0));

  test('while its body is on the way has nothing decoded or computed', async () => {
    const file = commandFile('well');
    const connection = await connectTo(service.url);
    connection.write(headOf('/predict', file.length, { 'Content-Type': 'image/png' }));
    connection.write(file.subarray(0, 10));
    await new Promise((resolve) => setTimeout(resolve, 20));
    connection.destroy();
    await until('it is seen', () => service.text().includes('Client left'));
    assert.deepEqual(await service.asked(), { pictures: 0, batches: 0, rows: 0 });
  });

  test('while its picture waits for the decoder has nothing decoded, and the decoder goes on', async () => {
    const slow = Array.from({ length: PICTURES_PER_DECODER }, () => post(service.url, commandFile('slow')));
    await until('all are at hand', () => service.engine.waiting().pictures === PICTURES_PER_DECODER);
    await postAndLeave(service.url, commandFile('crash'), () =>
      until('it waits', () => service.engine.waiting().pictures === PICTURES_PER_DECODER + 1),
    );
    for (const { status } of await Promise.all(slow)) assert.equal(status, 200);
    assert.equal((await service.asked()).pictures, PICTURES_PER_DECODER);
    assert.deepEqual(cancellations, ['decode']);
  });

  test('while its picture is being decoded has nothing computed', async () => {
    await postAndLeave(service.url, commandFile('slow'), () =>
      until('it is decoded', async () => (await service.asked()).pictures === 1),
    );
    await nothingWaits();
    assert.deepEqual(await service.asked(), { pictures: 0, batches: 0, rows: 0 });
    assert.deepEqual(cancellations, ['decode']);
  });

  test('while its images wait for an engine has nothing computed', async () => {
    const slow = [post(service.url, commandBody('slow'))];
    await until('the first batch', async () => (await service.asked()).batches === 1);
    slow.push(post(service.url, commandBody('slow')));
    await until('the second batch', async () => (await service.asked()).batches === 1);
    await postAndLeave(service.url, commandBody('crash', 100), () =>
      until('it waits', () => service.engine.waiting().rows === 102),
    );
    await until('its place is free', () => service.engine.waiting().rows < 102);
    for (const { status } of await Promise.all(slow)) assert.equal(status, 200);
    assert.equal((await service.asked()).batches, 0);
    assert.deepEqual(cancellations, ['queue']);
  });

  test('while its images are computed takes nothing from those who share the batch', async () => {
    const others = [post(service.url, commandBody('slow')), post(service.url, commandBody('well'))];
    let rows = 0;
    await postAndLeave(service.url, commandBody('slow'), () =>
      until('all three are computed', async () => (rows += (await service.asked()).rows) >= 3),
    );
    for (const { status } of await Promise.all(others)) assert.equal(status, 200);
    assert.deepEqual(cancellations, ['batch']);
    await nothingWaits();
  });

  test('ten thousand times leaves no memory taken', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const predictor = service.model.choose({});
    const images = randomImage(1);
    /** Bytes in use after `count` requests of 50 KB that are given up in the queue or in their batch. */
    const usedAfter = async (count: number) => {
      for (let index = 0; index < count; index++) {
        const controller = new AbortController();
        const request = new Uint8Array(64 * images.length);
        request.set(images);
        const outputs = predictor.predict(request, { signal: controller.signal });
        if (index % 2 === 0) await nextTurn();
        controller.abort(new Error('left'));
        const outcome = await outputs.then(
          () => 'answered', // it was quicker
          (error: Error) => error.message,
        );
        if (outcome === 'left') givenUp++;
        else assert.equal(outcome, 'answered');
      }
      await nothingWaits();
      for (let round = 0; round < 3; round++) {
        await nextTurn(); // what a collection finds, the next one frees
        collect();
      }
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    let givenUp = 0;
    const before = await usedAfter(1000);
    const grown = (await usedAfter(10_000)) - before;
    assert.ok(grown < 10_000_000, `grew by ${grown} bytes; one that is kept has 50 KB`);
    assert.equal(cancellations.length, givenUp);
    assert.ok(givenUp > 5_000, `${givenUp} were given up`);
  });

  test('over its connection two hundred times leaves nothing behind', async () => {
    for (let index = 0; index < 200; index++) {
      const connection = await connectTo(service.url);
      const body = JSON.stringify(commandBody('well'));
      connection.write(headOf('/predict', body.length, { 'Content-Type': 'application/json' }) + body);
      connection.destroy();
    }
    await until('all are seen', () => service.text().split(/Client left|Answered/).length > 200);
    await nothingWaits();
    assert.equal((await post(service.url, commandBody('well'))).status, 200);
  });
});
