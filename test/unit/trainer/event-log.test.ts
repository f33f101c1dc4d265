import assert from 'node:assert/strict';
import { appendFile, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { EventLog, readLatestEvents, readRun, RunEvent, RunFolder } from '@atelier/trainer';
import { BEGINNING, beginRun, createRun, endEpoch, epochReport, runIn } from '../../support/stored-runs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const step = {
  epoch: 1,
  epochs: 3,
  step: 5,
  stepsPerEpoch: 40,
  loss: 2,
  imagesPerSecond: 100,
  validationAccuracy: null,
};

describe('the events of a run in its folder', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => void (folder = await temporaryFolder()));
  after(() => folder.remove());
  const eventsOf = async (directory: string) =>
    (await readFile(join(directory, 'events.ndjson'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => RunEvent.parse(JSON.parse(line)));
  const namesOf = async (directory: string) => (await eventsOf(directory)).map(({ event }) => event);

  test('are of the shape that is documented, and in the order of time', async () => {
    const run = await createRun(folder.path);
    await run.begin(BEGINNING);
    run.addStep(step);
    await endEpoch(run, epochReport(1));
    await run.end('interrupted', { code: 'training-crashed', message: 'x'.repeat(10_000) });
    assert.ok(run.run.job);
    await run.queueAgain({ ...run.run.job, recoveries: 1 });
    await run.resume([epochReport(1)], { publishAs: null });
    await run.end('finished');
    await run.addPublished({ name: 'small', version: 2 });
    await run.release();
    const events = await eventsOf(run.directory);
    const life = ['queued', 'started', 'step', 'epoch', 'checkpoint', 'interrupted', 'queued', 'started', 'finished'];
    assert.deepEqual(
      events.map(({ event }) => event),
      [...life, 'published'],
    );
    assert.deepEqual(
      events.map(({ at }) => at).sort(),
      events.map(({ at }) => at),
    );
    const interrupted = events[5];
    assert.ok(interrupted?.event === 'interrupted');
    assert.equal((interrupted.data as { message: string }).message.length, 4000, 'what a reader takes');
    assert.equal((await readRun(run.directory)).state, 'finished');
  });

  test('tell of the first steps of each epoch, and then not of each one', async () => {
    const run = await beginRun(folder.path);
    for (const epoch of [1, 1, 1, 2, 2]) run.addStep({ ...step, epoch });
    await run.release();
    assert.deepEqual(await namesOf(run.directory), ['queued', 'started', 'step', 'step']);
  });

  test('lose a line that a crash tore when somebody takes the run, and nothing else', async () => {
    const { directory } = await runIn('running', folder.path);
    const path = join(directory, 'events.ndjson');
    const whole = await readFile(path, 'utf8');
    for (const torn of ['{', '{"at":"2026', 'x'.repeat(4095), 'x'.repeat(4096), 'x'.repeat(20_000)]) {
      await appendFile(path, torn);
      await (await RunFolder.open(directory)).release();
      assert.equal(await readFile(path, 'utf8'), whole);
    }
    await writeFile(path, 'a torn first line');
    await (await RunFolder.open(directory)).release();
    assert.equal(await readFile(path, 'utf8'), '');
  });

  test('tell an end that a crash left untold, once', async () => {
    for (const state of ['finished', 'failed', 'cancelled'] as const) {
      const run = await beginRun(folder.path);
      await run.update({ state, endedAt: new Date().toISOString() });
      await run.release();
      for (let time = 0; time < 2; time++) await (await RunFolder.open(run.directory)).release();
      assert.deepEqual(await namesOf(run.directory), ['queued', 'started', state]);
    }
  });

  test('are not made up for a run of a time when there were none', async () => {
    const { directory } = await runIn('finished', folder.path);
    await truncate(join(directory, 'events.ndjson'));
    await (await RunFolder.open(directory)).release();
    assert.equal(await readFile(join(directory, 'events.ndjson'), 'utf8'), '');
  });

  test('say that the disk is full where it is', async () => {
    const path = join(folder.path, 'full.ndjson');
    const log = await EventLog.open(path);
    await symlink('/dev/full', path);
    assert.throws(() => log.append('cancelled', { reason: 'asked for' }), {
      code: 'disk-full',
      message: /full\.ndjson/,
    });
  });
});

describe('the latest events of a run', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => void (folder = await temporaryFolder()));
  after(() => folder.remove());

  test('are none where it has not come to any', async () => {
    assert.deepEqual(await readLatestEvents(join(folder.path, 'nowhere')), { step: null, epoch: null });
    const { directory } = await runIn('queued', folder.path);
    assert.deepEqual(await readLatestEvents(directory), { step: null, epoch: null });
  });

  test('are the last step and the last epoch', async () => {
    const run = await beginRun(folder.path);
    run.addStep(step);
    await endEpoch(run, epochReport(1));
    assert.deepEqual(await readLatestEvents(run.directory), { step, epoch: epochReport(1) });
    run.addStep({ ...step, epoch: 2 });
    assert.deepEqual(await readLatestEvents(run.directory), { step: { ...step, epoch: 2 }, epoch: epochReport(1) });
    await run.release();
  });

  test('are found at the end of a long file, and past lines that somebody damaged', async () => {
    const { directory } = await runIn('running', folder.path);
    const path = join(directory, 'events.ndjson');
    const lineOf = (epoch: number) => `${JSON.stringify({ at: '', event: 'step', data: { ...step, epoch } })}\n`;
    await appendFile(path, Array.from({ length: 500 }, (_, index) => lineOf(index + 1)).join(''));
    assert.equal((await readLatestEvents(directory)).step?.epoch, 500);
    await appendFile(path, 'nonsense\nnull\n[]\n"step"\n{"event":"step","data":7}\n{"event":"step","da');
    assert.deepEqual(await readLatestEvents(directory), { step: { ...step, epoch: 500 }, epoch: null });
  });
});
