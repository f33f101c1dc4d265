import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { readModel, resolveVersion } from '@atelier/model-repository';
import { type EpochReport, readRun } from '@atelier/trainer';
import { isGone, processGone } from '../support/process-gone.ts';
import { smallRecipe } from '../support/small-recipe.ts';
import { type EventStream, TrainerClient } from '../support/trainer-client.ts';
import { TrainerPrograms } from '../support/trainer-programs.ts';

/** The bits depend on the number of threads, so all runs ask for the same. */
const ON_CPU = { engine: 'onnx', device: 'cpu', threads: 1 } as const;

/** A run that several epochs of a fifth of a second remain of when something happens to it in the third. */
const LONG_EPOCHS = 12;
const LONG = { recipe: 'ann-128', overrides: { epochs: LONG_EPOCHS }, limit: 20_000, ...ON_CPU };

describe('the trainer as a service (real data)', () => {
  let programs: TrainerPrograms;
  let client: TrainerClient;
  let streams: EventStream[];
  beforeEach(async () => {
    streams = [];
    programs = await TrainerPrograms.create();
    client = new TrainerClient(() => programs.url);
  });
  afterEach(async () => {
    await Promise.all(streams.map((stream) => stream.close()));
    await programs.close();
  });

  function follow(id: string): EventStream {
    const stream = client.follow(id);
    streams.push(stream);
    return stream;
  }

  /** Of `model.onnx` of a run of LONG that nothing happened to; trained by whoever asks first. */
  let undisturbed: Promise<string> | undefined;
  function undisturbedDigest(): Promise<string> {
    undisturbed ??= client.submit(LONG).then(async (id) => {
      await client.runIn(id, 'finished');
      assert.deepEqual((await client.run(id)).resumedAt, []);
      return modelDigest(id);
    });
    return undisturbed;
  }

  async function modelDigest(id: string): Promise<string> {
    const response = await client.request(`/runs/${id}/model.onnx`);
    assert.equal(response.status, 200);
    return digest(await response.arrayBuffer());
  }

  /** The run has come to its end in the bits, and with the history, that it would have had undisturbed. */
  async function assertFinishedLikeUndisturbed(id: string): Promise<void> {
    const run = await client.runIn(id, 'finished', 'failed', 'cancelled');
    assert.equal(run.state, 'finished', JSON.stringify(run.error));
    const { epochs } = (await (await client.request(`/runs/${id}/history`)).json()) as { epochs: EpochReport[] };
    const numbers = epochs.map(({ epoch }) => epoch);
    assert.deepEqual(
      numbers,
      Array.from({ length: LONG_EPOCHS }, (_, index) => index + 1),
    );
    assert.equal(await modelDigest(id), await undisturbedDigest());
  }

  /** Waits until the run is in the middle of an epoch, the third or a later one, with some of them still to come. */
  async function amidEpoch(stream: EventStream): Promise<void> {
    await stream.event('epoch', ({ data }) => data.epoch === 2);
    const step = await stream.event('step', ({ data }) => (data.epoch ?? 0) >= 3);
    assert.ok((step.data.epoch ?? 0) < LONG_EPOCHS, `epoch ${step.data.epoch}`);
  }

  test('trains what is posted, tells of it while it happens, and publishes it with parity on 10,000 images', async () => {
    await programs.startService();
    const id = await client.submit({ recipe: 'ann-128', overrides: { epochs: 2 }, ...ON_CPU, publish: false });
    const stream = follow(id);
    await stream.ended();
    const told = stream.names.filter((name) => name !== 'step');
    assert.deepEqual(told, ['queued', 'started', 'epoch', 'checkpoint', 'epoch', 'checkpoint', 'finished']);
    assertWithoutGap(stream);
    assert.ok(stream.count('step') >= 2, 'the first step of each epoch at least');
    const { data } = await stream.event('epoch', ({ data: { epoch } }) => epoch === 2);
    assert.ok((data.validation?.accuracy ?? 0) > 0.8, JSON.stringify(data));
    assert.equal((await client.run(id)).published, null);

    const response = await client.post(`/runs/${id}/publish`);
    const published = (await response.json()) as { name: string; version: number; digest: string; isNew: boolean };
    assert.equal(response.status, 200, JSON.stringify(published));
    const version = await resolveVersion(programs.modelsDirectory, published.name, 'latest');
    const { parity, metrics } = version.manifest;
    assert.deepEqual([published.version, published.isNew], [1, true]);
    assert.equal(version.manifest.digest, published.digest);
    assert.ok(parity.maximumDifference <= 1e-5, `parity ${parity.maximumDifference}`);
    assert.deepEqual([parity.images, metrics.test.count], [10_000, 10_000]);
    assert.deepEqual((await client.run(id)).published, { name: published.name, version: 1 });
    assert.equal(`sha256:${await modelDigest(id)}`, published.digest);
    assert.equal(`sha256:${digest(await readModel(version))}`, published.digest);

    const { epochs } = (await (await client.request(`/runs/${id}/history`)).json()) as { epochs: EpochReport[] };
    assert.equal(epochs.length, 2);
    assert.match(await text(`/runs/${id}/report`), /<html/);
    assert.match(await text(`/runs/${id}/log`), /Engine: onnx on cpu.*\n.*Data: .*\n.*Report: /);
  });

  test('killed in the middle of an epoch and started again, it finishes its run to the same bits, and no event is lost', async () => {
    await programs.startService();
    const id = await client.submit(LONG);
    const stream = follow(id);
    await amidEpoch(stream);
    const training = await programs.trainingOf(id);
    await programs.kill(programs.service);
    await processGone(training); // without a word from anybody
    assert.equal((await readRun(programs.directoryOf(id))).state, 'interrupted');
    await programs.startService();
    await stream.ended();
    assertWithoutGap(stream);
    assert.ok(stream.breaks > 0, 'the client came back');
    const [crash, ...others] = stream.seen.filter(({ name }) => name === 'interrupted');
    assert.deepEqual([crash?.data.code, others], ['training-crashed', []]);
    const { recoveries, resumedAt } = await client.run(id);
    assert.deepEqual([recoveries, resumedAt.length], [1, 1]);
    await assertFinishedLikeUndisturbed(id);
  });

  test('a run whose process is killed goes on by itself, three times; the fourth fails it, and who resumes it gets the same bits', async () => {
    await programs.startService();
    const id = await client.submit(LONG);
    const stream = follow(id);
    for (let kills = 0; kills < 4; kills++) {
      const attempt = await stream.event('started', undefined, lastEvent(stream, 'interrupted'));
      await stream.event('step', ({ id: event }) => event > attempt.id);
      process.kill(await programs.trainingOf(id), 'SIGKILL');
      const later = ({ id: event }: { id: number }) => event > attempt.id;
      if (kills < 3) await stream.event('interrupted', later);
    }
    const run = await client.runIn(id, 'failed', 'finished');
    assert.equal(run.error?.code, 'training-crashed');
    assert.match(run.error.message, /^Resumed 3 times after a crash, and it crashed again: .* ended by SIGKILL/);
    assert.equal(run.recoveries, 3);
    await stream.ended();
    assertWithoutGap(stream);
    const recoveries = stream.seen.filter(({ name }) => name === 'queued').map(({ data }) => data.recovery);
    assert.deepEqual(recoveries, [0, 1, 2, 3]);

    assert.equal((await client.resume(id)).recoveries, 0);
    await assertFinishedLikeUndisturbed(id);
  });

  test('SIGTERM interrupts a run and ends the service with 0; the next one goes on with it, and counts no crash', async () => {
    await programs.startService();
    const id = await client.submit(LONG);
    const stream = follow(id);
    await amidEpoch(stream);
    const training = await programs.trainingOf(id);
    assert.equal(await programs.stop(programs.service), 0, programs.service.stderr);
    assert.ok(await isGone(training), 'the training ended before the service did');
    await programs.startService();
    await stream.ended();
    assertWithoutGap(stream);
    const { data } = await stream.event('interrupted');
    assert.equal(data.code, 'training-interrupted');
    assert.deepEqual([stream.count('interrupted'), stream.count('started')], [1, 2]);
    assert.equal((await client.run(id)).recoveries, 0);
    await assertFinishedLikeUndisturbed(id);
  });

  test('a run that is cancelled ends with its process, and goes on when it is resumed', async () => {
    await programs.startService();
    const id = await client.submit(LONG);
    const stream = follow(id);
    await amidEpoch(stream);
    const training = await programs.trainingOf(id);
    await client.cancel(id);
    const { error, epochs, recoveries } = await client.runIn(id, 'cancelled', 'finished', 'failed');
    assert.deepEqual([error?.message, recoveries], ['Somebody asked for it.', 0]);
    assert.ok(epochs >= 2 && epochs < LONG_EPOCHS, `cancelled after epoch ${epochs}`);
    await processGone(training);
    await stream.ended();
    assert.equal(stream.names.at(-1), 'cancelled');
    await client.resume(id);
    await assertFinishedLikeUndisturbed(id);
  });

  test('a checkpoint that finds no room fails its run and nothing else', async () => {
    // The checkpoint of ann-128 is three times its model of 400 KiB; that of 16 units is smaller.
    await programs.startService({ before: 'ulimit -f 400' });
    const id = await client.submit(LONG);
    const { error, epochs } = await client.runIn(id, 'failed', 'finished');
    assert.deepEqual([error?.code, epochs], ['disk-full', 0]);
    assert.match(error?.message ?? '', /There is no room to write \S+last\.safetensors: EFBIG/);
    const left = await readdir(join(programs.directoryOf(id), 'checkpoint'));
    assert.deepEqual(left, [], 'no half of a checkpoint');
    assert.equal((await client.request('/readyz')).status, 200);
    const small = await client.submit({ recipe: { ...smallRecipe() }, limit: 1000, ...ON_CPU });
    assert.equal((await client.runIn(small, 'failed', 'finished')).state, 'finished');
    assert.equal((await client.run(id)).state, 'failed');
  });

  test('answers 300 probes while a run trains at full speed, and prints nothing', async () => {
    await programs.startService();
    const id = await client.submit({ recipe: 'ann-128', overrides: { epochs: 1000 }, engine: 'onnx', device: 'cpu' });
    await follow(id).event('epoch');
    const before = printed();
    for (let probe = 0; probe < 300; probe++) {
      const response = await client.request('/healthz');
      assert.equal(response.status, 200);
      await response.text();
      await pause(10);
    }
    assert.equal(printed(), before);
    assert.equal((await client.run(id)).state, 'running');
    await client.cancel(id);
    await client.runIn(id, 'cancelled');
  });

  function printed(): string {
    return programs.service.stdout + programs.service.stderr;
  }

  async function text(path: string): Promise<string> {
    const response = await client.request(path);
    assert.equal(response.status, 200, path);
    return response.text();
  }
});

/** How many events there were up to the last one of `name`. */
function lastEvent({ names }: EventStream, name: string): number {
  return names.lastIndexOf(name) + 1;
}

/** Ids count from 1, each once: nothing is lost and nothing told twice, however often the stream broke. */
function assertWithoutGap({ seen }: EventStream): void {
  assert.deepEqual(
    seen.map(({ id }) => id),
    seen.map((_, index) => index + 1),
  );
}

function digest(bytes: ArrayBuffer | Uint8Array): string {
  return createHash('sha256')
    .update(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes))
    .digest('hex');
}
