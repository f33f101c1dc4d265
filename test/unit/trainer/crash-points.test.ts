import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { readCancelRequest, requestCancel, RunEvent, RunFolder, settleRun } from '@atelier/trainer';
import request from 'supertest';
import { bodyOf } from '../../support/answers.ts';
import { eventually } from '../../support/eventually.ts';
import { beginRun, createRun, endEpoch, epochReport, runIn } from '../../support/stored-runs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { testTrainer } from '../../support/trainer-service.ts';

describe('what stands in a folder when its process is killed', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => void (folder = await temporaryFolder()));
  afterEach(() => folder.remove());

  const eventsOf = async (directory: string) =>
    (await readFile(join(directory, 'events.ndjson'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => RunEvent.parse(JSON.parse(line)));

  test('an epoch that is kept and was not told is told when the run goes on', async () => {
    const run = await beginRun(folder.path);
    for (const epoch of [1, 2]) await endEpoch(run, epochReport(epoch));
    await run.release();
    const path = join(run.directory, 'events.ndjson');
    const lines = (await readFile(path, 'utf8')).split('\n');
    const before = lines.findIndex((line) => line.includes('"event":"epoch"') && line.includes('"epoch":2'));
    await writeFile(path, `${lines.slice(0, before).join('\n')}\n`); // killed between the checkpoint and its event
    const again = await RunFolder.open(run.directory);
    await again.resume([epochReport(1), epochReport(2)], { publishAs: null });
    await again.release();
    const events = await eventsOf(run.directory);
    assert.deepEqual(
      events.map(({ event }) => event),
      ['queued', 'started', 'epoch', 'checkpoint', 'epoch', 'checkpoint', 'started'],
    );
    assert.deepEqual(
      events.flatMap(({ event, data }) => (event === 'epoch' ? [(data as { epoch: number }).epoch] : [])),
      [1, 2],
    );
  });

  test('a request to cancel that comes while a run is queued again is not lost', async () => {
    const run = await createRun(folder.path);
    await run.end('interrupted', { code: 'training-interrupted', message: 'Stopped' });
    await requestCancel(run.directory, 'It was asked for.'); // after whoever settles the run has looked for one
    assert.ok(run.run.job !== null);
    await run.queueAgain(run.run.job);
    assert.equal(await readCancelRequest(run.directory), 'It was asked for.');
    assert.equal(await settleRun(run, null), 'over');
    assert.equal(run.run.state, 'cancelled');
    await run.release();
  });

  test('a trial that crashed at its rung is paused there, and not trained beyond', async () => {
    const run = await beginRun(folder.path, { job: { untilEpoch: 1 } });
    await endEpoch(run, epochReport(1));
    assert.equal(await settleRun(run, null), 'over');
    assert.deepEqual([run.run.state, run.run.job?.recoveries], ['interrupted', 0]);
    await run.release();
  });
});

describe('a folder in which nobody can work', () => {
  test('makes its run a failed one that can be deleted, and hides no other', { timeout: 60_000 }, async () => {
    const service = await testTrainer();
    try {
      const whole = await runIn('finished', service.runsDirectory);
      const broken = await runIn('queued', service.runsDirectory);
      await rm(join(broken.directory, 'events.ndjson'));
      await mkdir(join(broken.directory, 'events.ndjson'));
      await service.trainer.start();
      await service.trainer.work(1);
      const { error } = await eventually('it has failed', async () => {
        const run = (await bodyOf(request(service.app).get(`/runs/${broken.id}`))) as {
          state: string;
          error: { code: string; message: string } | null;
        };
        return run.state === 'failed' ? run : null;
      });
      assert.equal(error?.code, 'invalid-run');
      assert.match(error.message, /events\.ndjson/);
      const { runs } = (await bodyOf(request(service.app).get('/runs'))) as { runs: { id: string }[] };
      assert.deepEqual(runs.map(({ id }) => id).sort(), [whole.id, broken.id].sort());
      await request(service.app).delete(`/runs/${broken.id}`).expect(204);
    } finally {
      await service.remove();
    }
  });

  test('and a request to cancel that cannot be read are no fault of who lists runs', async () => {
    const service = await testTrainer();
    try {
      const { directory } = await runIn('running', service.runsDirectory);
      await mkdir(join(directory, 'cancel-requested'));
      await request(service.app).get('/runs').expect(200);
    } finally {
      await service.remove();
    }
  });
});
