import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { BUCKETS, MAXIMUM_ROWS, type PredictOptions, Scheduler } from '@atelier/inference';
import { AnsweringEngines, markedImages, ROW_WIDTH, runnableOf } from '../../support/answering-engine.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const DELAY_MS = 2;

let clock: FakeClock;
let engines: AnsweringEngines;
let scheduler: Scheduler;
let lastId: number;

function open(count: number): void {
  clock = new FakeClock();
  engines = new AnsweringEngines();
  lastId = 0;
  const { execute, observer } = engines;
  scheduler = new Scheduler({ engines: count, maximumDelayMs: DELAY_MS, execute, observer, clock });
}

/** A request for `rows` of a model; its id is the next number. What becomes of it is awaited by those who care. */
function submit(rows = 1, options: PredictOptions = {}, model = 1): Promise<Float32Array> {
  const outputs = scheduler.submit(runnableOf(model), markedImages(++lastId, rows), options);
  outputs.catch(() => undefined);
  return outputs;
}

/** Ids of each batch that the engines have, without the padding. */
const given = () => engines.given.map(({ ids }) => ids.filter((id) => id > 0));

/** The ids in the rows of an answer. */
const idsOf = (rows: Float32Array) => [...rows].filter((_, place) => place % ROW_WIDTH === 0);

async function answerFirst(): Promise<void> {
  engines.given[0]?.answer();
  await clock.turn();
}

/** One engine that has its two batches, of requests 1 and 2. */
async function busyEngine(): Promise<void> {
  void submit();
  await clock.turn();
  void submit();
  await clock.advance(DELAY_MS);
  assert.deepEqual(given(), [[1], [2]]);
}

describe('a batch is closed', () => {
  beforeEach(() => open(1));

  test('at once when an engine has nothing to do, with whatever came at the same time', async () => {
    const outputs = [submit(), submit(2), submit()];
    await clock.turn();
    assert.equal(clock.now(), 0);
    assert.deepEqual(given(), [[1, 2, 2, 3]]);
    await answerFirst();
    assert.deepEqual((await Promise.all(outputs)).map(idsOf), [[1], [2, 2], [3]]);
    assert.deepEqual(
      engines.computed.map(({ reason, rows, bucket, queueMs }) => ({ reason, rows, bucket, queueMs })),
      [{ reason: 'idle', rows: 4, bucket: 4, queueMs: [0, 0, 0] }],
    );
  });

  test('and tells each request how long it waited and was computed', async () => {
    await busyEngine();
    const timings: Record<string, number> = {};
    const waits = submit(1, { timings });
    await clock.advance(5);
    await answerFirst();
    await clock.advance(3);
    await answerFirst();
    await answerFirst();
    await waits;
    assert.deepEqual(timings, { queue_ms: 5, infer_ms: 3 });
  });

  test('when no more rows fit, and never has more than the maximum', async () => {
    for (let count = 0; count < 3; count++) void submit(MAXIMUM_ROWS / 2 + 1);
    void submit(MAXIMUM_ROWS);
    await clock.turn();
    assert.deepEqual(
      given().map(({ length }) => length),
      [MAXIMUM_ROWS / 2 + 1, MAXIMUM_ROWS / 2 + 1],
      'and the first two do not fit together',
    );
    await answerFirst();
    await answerFirst();
    assert.deepEqual(
      given().map(({ length }) => length),
      [MAXIMUM_ROWS / 2 + 1, MAXIMUM_ROWS],
    );
    await answerFirst();
    await answerFirst();
    assert.deepEqual(
      engines.computed.map(({ reason }) => reason),
      ['idle', 'full', 'full', 'full'],
      'the first was worth its way before the others came',
    );
  });

  test('when its oldest row has waited as long as it may, which counts only while engines are busy', async () => {
    void submit();
    await clock.turn();
    void submit();
    await clock.advance(DELAY_MS - 0.5);
    void submit();
    assert.deepEqual(given(), [[1]], 'others may still come');
    await clock.advance(0.5);
    assert.deepEqual(given(), [[1], [2, 3]]);
    await answerFirst();
    await answerFirst();
    assert.deepEqual(
      engines.computed.map(({ reason, queueMs }) => ({ reason, queueMs })),
      [
        { reason: 'idle', queueMs: [0] },
        { reason: 'delay', queueMs: [DELAY_MS, 0.5] },
      ],
    );
  });

  test('without waiting any longer when the engine has become idle', async () => {
    void submit();
    await clock.turn();
    void submit();
    await clock.advance(DELAY_MS / 2);
    await answerFirst();
    assert.deepEqual(given(), [[2]]);
    assert.equal(clock.now(), DELAY_MS / 2);
  });

  test('for an engine that has fewer than two, and no sooner', async () => {
    await busyEngine();
    for (let count = 0; count < 3 * MAXIMUM_ROWS; count++) void submit();
    await clock.advance(1000);
    assert.equal(engines.given.length, 2);
    assert.equal(scheduler.waitingRows, 3 * MAXIMUM_ROWS);
    await answerFirst();
    assert.deepEqual(
      given().map(({ length }) => length),
      [1, MAXIMUM_ROWS],
    );
  });

  test('with the oldest rows, in the order in which they came', async () => {
    await busyEngine();
    const outputs = Array.from({ length: 100 }, () => submit());
    while (engines.given.length > 0) await answerFirst();
    assert.deepEqual(
      (await Promise.all(outputs)).flatMap(idsOf),
      Array.from({ length: 100 }, (_, index) => index + 3),
    );
    assert.deepEqual(
      engines.computed.map(({ rows }) => rows),
      [1, 1, 64, 36],
    );
  });

  test('and padded to the next bucket with black images', async () => {
    for (const rows of [1, 5, 9, 33, 64]) {
      void submit(rows);
      await clock.turn();
      const [batch] = engines.given;
      assert.equal(
        batch?.rows,
        BUCKETS.find((bucket) => bucket >= rows),
      );
      assert.deepEqual(
        batch?.ids.slice(rows).filter((id) => id !== 0),
        [],
      );
      await answerFirst();
    }
  });

  test('for each model by itself', async () => {
    open(3);
    const outputs = [submit(1, {}, 1), submit(1, {}, 2), submit(1, {}, 1)];
    await clock.turn();
    assert.deepEqual(
      engines.given.map(({ engine, model, ids }) => ({ engine, model, ids })),
      [
        { engine: 0, model: 1, ids: [1, 3] },
        { engine: 1, model: 2, ids: [2] },
      ],
    );
    for (const batch of [...engines.given]) batch.answer();
    assert.deepEqual(
      (await Promise.all(outputs)).map((row) => [row[0], row[2]]),
      [
        [1, 1],
        [2, 2],
        [3, 1],
      ],
    );
  });
});

describe('of rows that wait', () => {
  beforeEach(() => open(1));

  test('those of another model come in their turn, however many a model has', async () => {
    await busyEngine();
    for (let count = 0; count < 4; count++) void submit(MAXIMUM_ROWS, {}, 1);
    await clock.advance(1);
    const other = submit(1, {}, 2);
    for (let count = 0; count < 4; count++) {
      await clock.advance(1);
      void submit(MAXIMUM_ROWS, {}, 1); // and more come all the time
      await answerFirst();
    }
    for (let count = 0; count < 3; count++) await answerFirst();
    assert.deepEqual(idsOf(await other), [7]);
    assert.ok(scheduler.waitingRows > 0, 'before all of the first model');
  });

  test('bulk goes to an engine that has nothing to do while nobody waits online', async () => {
    const bulk = submit(1, { priority: 'bulk' });
    await clock.turn();
    assert.deepEqual(given(), [[1]], 'no delay when idle');
    void submit(1, { priority: 'bulk' });
    await clock.advance(1000);
    assert.deepEqual(given(), [[1]], 'and never as the second batch of an engine');
    const online = submit();
    await clock.advance(DELAY_MS);
    assert.deepEqual(given(), [[1], [3]]);
    await answerFirst();
    void submit();
    await answerFirst();
    assert.deepEqual(given(), [[4]], 'who is online comes first, however late');
    await answerFirst();
    assert.deepEqual(given(), [[2]]);
    await answerFirst();
    assert.deepEqual((await Promise.all([bulk, online])).map(idsOf), [[1], [3]]);
    assert.equal(scheduler.waitingRows, 0);
  });

  test('explanations come before bulk and copies last; none share a batch, and what is not asked for by itself is not counted', async () => {
    void submit();
    await clock.turn();
    const outputs = (['copy', 'bulk', 'explain'] as const).map((priority) => submit(1, { priority }));
    for (const ids of [[1], [4], [3], [2]]) {
      assert.deepEqual(given(), [ids]);
      await answerFirst();
    }
    assert.deepEqual((await Promise.all(outputs)).map(idsOf), [[2], [3], [4]]);
    assert.equal(scheduler.waitingRows, 0);
    assert.equal(engines.computed.length, 2, 'the request and the bulk');
  });

  test('as many are counted as there are', async () => {
    await busyEngine();
    const controller = new AbortController();
    void submit(5, { signal: controller.signal });
    void submit(7, { priority: 'bulk' });
    void submit(9, { deadline: clock.now() + 10 });
    assert.equal(scheduler.waitingRows, 21);
    controller.abort(new Error('gone'));
    assert.equal(scheduler.waitingRows, 16);
    await clock.advance(10);
    assert.equal(scheduler.waitingRows, 7);
    scheduler.failWaiting(new Error('lost'));
    assert.equal(scheduler.waitingRows, 0);
  });
});

describe('an engine that loads a model', () => {
  test('is passed over while there is another', async () => {
    open(2);
    scheduler.setLoading(0, true);
    for (let count = 0; count < 2; count++) {
      void submit();
      await clock.advance(DELAY_MS);
    }
    void submit();
    await clock.advance(DELAY_MS);
    assert.deepEqual(
      engines.given.map(({ engine }) => engine),
      [1, 1],
    );
    scheduler.setLoading(0, false);
    await clock.turn();
    assert.deepEqual(
      engines.given.map(({ engine }) => engine),
      [1, 1, 0],
    );
  });

  test('is given batches where it is the only one', async () => {
    open(1);
    scheduler.setLoading(0, true);
    void submit();
    await clock.turn();
    assert.deepEqual(given(), [[1]]);
  });
});

describe('a request', () => {
  beforeEach(() => open(1));

  test('that is given up in the queue is never computed', async () => {
    await busyEngine();
    const controller = new AbortController();
    const outputs = submit(3, { signal: controller.signal });
    controller.abort(new DomainError('malformed-body', 'The client left.'));
    await assert.rejects(outputs, { code: 'malformed-body' });
    assert.equal(scheduler.waitingRows, 0);
    while (engines.given.length > 0) await answerFirst();
    assert.deepEqual(engines.cancellations, ['queue']);
    assert.equal(engines.computed.length, 2);
  });

  test('that is given up in a batch is rejected at once, and the others of the batch are answered', async () => {
    const controller = new AbortController();
    const [left, stays] = [submit(1, { signal: controller.signal }), submit()];
    await clock.turn();
    controller.abort(new Error('gone'));
    await assert.rejects(left, { message: 'gone' });
    assert.deepEqual(engines.cancellations, ['batch']);
    await answerFirst();
    assert.deepEqual(idsOf(await stays), [2]);
  });

  test('that was given up before it came is never taken in', async () => {
    await assert.rejects(submit(1, { signal: AbortSignal.abort(new Error('gone')) }), { message: 'gone' });
    await assert.rejects(submit(1, { deadline: clock.now() }), { code: 'deadline-exceeded' });
    await clock.turn();
    assert.equal(scheduler.waitingRows, 0);
    assert.deepEqual(given(), []);
  });

  test('whose time is over is rejected in the queue and in a batch, and leaves no alarm behind', async () => {
    const inBatch = submit(1, { deadline: 5 });
    await clock.turn();
    void submit();
    await clock.advance(DELAY_MS);
    const inQueue = submit(1, { deadline: 4 });
    const inTime = submit(1, { deadline: 1000 });
    await clock.advance(2);
    await assert.rejects(inQueue, { code: 'deadline-exceeded' });
    await clock.advance(1);
    await assert.rejects(inBatch, { code: 'deadline-exceeded' });
    assert.deepEqual(engines.cancellations, [], 'their clients have not left');
    while (engines.given.length > 0) await answerFirst();
    assert.deepEqual(idsOf(await inTime), [4]);
    assert.equal(clock.alarms, 0);
  });

  test('that is larger than a batch is answered whole, in its order', async () => {
    const rows = 2 * MAXIMUM_ROWS + 3;
    const outputs = submit(rows);
    await clock.turn();
    while (engines.given.length > 0) {
      engines.given.at(-1)?.answer(); // the later batch first
      await clock.turn();
    }
    const numbers = await outputs;
    assert.equal(numbers.length, rows * ROW_WIDTH);
    assert.deepEqual(
      Array.from({ length: rows }, (_, row) => [numbers[row * ROW_WIDTH], numbers[row * ROW_WIDTH + 1]]),
      Array.from({ length: rows }, (_, row) => [1, row]),
    );
  });

  test('of a model that takes one row at a time goes to the engine row by row, beside nobody else’s', async () => {
    const oneByOne = runnableOf(3, 1);
    const outputs = [3, 1].map((rows) => scheduler.submit(oneByOne, markedImages(++lastId, rows)));
    const sizes: number[] = [];
    for (await clock.turn(); engines.given.length > 0; await answerFirst()) sizes.push(engines.given[0]?.rows ?? 0);
    assert.deepEqual(sizes, [1, 1, 1, 1]);
    assert.deepEqual((await Promise.all(outputs)).map(idsOf), [[1, 1, 1], [2]]);
  });

  test('that is larger than a batch and fails in one of them takes the rest out of the queue', async () => {
    const outputs = submit(4 * MAXIMUM_ROWS);
    await clock.turn();
    assert.equal(scheduler.waitingRows, 2 * MAXIMUM_ROWS);
    engines.given[1]?.fail(new DomainError('engine-lost', 'It died.'));
    await assert.rejects(outputs, { code: 'engine-lost' });
    assert.equal(scheduler.waitingRows, 0);
    await answerFirst();
    assert.deepEqual(given(), []);
    assert.deepEqual(engines.cancellations, [], 'nobody gave it up');
  });

  test('that is larger than a batch counts as one that was given up', async () => {
    const controller = new AbortController();
    const outputs = submit(4 * MAXIMUM_ROWS, { signal: controller.signal });
    await clock.turn();
    controller.abort(new Error('gone'));
    await assert.rejects(outputs, { message: 'gone' });
    assert.deepEqual(engines.cancellations, ['batch']);
    assert.equal(scheduler.waitingRows, 0);
  });

  test('of a model that is released is rejected, not forgotten', async () => {
    await busyEngine();
    const outputs = [submit(), submit(1, { priority: 'bulk' })];
    scheduler.forget(runnableOf(1));
    for (const output of outputs) await assert.rejects(output, { code: 'engine-fault' });
    assert.equal(scheduler.waitingRows, 0);
  });
});

describe('when an engine fails', () => {
  beforeEach(() => open(1));

  test('everyone in the batch is told, and the next batch is computed', async () => {
    const failing = [submit(), submit()];
    await clock.turn();
    const next = submit();
    engines.given[0]?.fail(new DomainError('engine-fault', 'broken'));
    for (const outputs of failing) await assert.rejects(outputs, { code: 'engine-fault' });
    await clock.turn();
    await answerFirst();
    assert.deepEqual(idsOf(await next), [3]);
  });

  test('what waits can be rejected, with every model and priority', async () => {
    await busyEngine();
    const waiting = [submit(), submit(1, { priority: 'bulk' }), submit(1, {}, 2), submit(200)];
    scheduler.failWaiting(new DomainError('engine-lost', 'It died.'));
    for (const outputs of waiting) await assert.rejects(outputs, { code: 'engine-lost' });
    assert.equal(scheduler.waitingRows, 0);
    const later = submit();
    while (engines.given.length > 0) await answerFirst();
    assert.deepEqual(idsOf(await later), [7]);
  });

  test('too few, too many and no numbers are nobody’s answer', async () => {
    for (const outputs of [
      new Float32Array(19),
      new Float32Array(40),
      new Float32Array(0),
      new Float32Array(20).fill(NaN),
      new Float32Array(20).fill(Infinity, 0, 10),
      new Float32Array(20).fill(NaN, 19),
    ]) {
      const broken = new Scheduler({
        engines: 1,
        maximumDelayMs: DELAY_MS,
        execute: () => Promise.resolve(outputs),
        observer: engines.observer,
        clock,
      });
      const submitted = broken.submit(runnableOf(1), markedImages(1, 1));
      submitted.catch(() => undefined);
      await clock.turn();
      await assert.rejects(submitted, { code: 'engine-fault' });
    }
  });
});
