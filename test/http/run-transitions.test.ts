import assert from 'node:assert/strict';
import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readCancelRequest, RUN_STATES, RunEvent, RunResource, type RunState, type Transition } from '@atelier/trainer';
import request from 'supertest';
import { problemOf } from '../support/answers.ts';
import { eventually } from '../support/eventually.ts';
import { beginRun, createRun, runIn } from '../support/stored-runs.ts';
import { type TestTrainer, testTrainer } from '../support/trainer-service.ts';

/** The states in which each can be asked for, and what the run is then; null: it is gone. */
const LEGAL: Record<Transition, Partial<Record<RunState, RunState | null>>> = {
  cancel: { queued: 'cancelled', running: 'cancelled', interrupted: 'cancelled' },
  resume: { interrupted: 'queued', failed: 'queued', cancelled: 'queued' },
  publish: { finished: 'finished' },
  delete: { interrupted: null, finished: null, failed: null, cancelled: null },
};
const TRANSITIONS = Object.entries(LEGAL) as [Transition, (typeof LEGAL)[Transition]][];

describe('what can be asked for a run', () => {
  let service: TestTrainer;
  before(async () => void (service = await testTrainer()));
  after(() => service.remove());
  const ask = (transition: Transition, id: string) =>
    transition === 'delete'
      ? request(service.app).delete(`/runs/${id}`)
      : request(service.app).post(`/runs/${id}/${transition}`);
  const lastEvent = async (directory: string) => {
    const lines = (await readFile(join(directory, 'events.ndjson'), 'utf8')).trimEnd().split('\n');
    return RunEvent.parse(JSON.parse(lines.at(-1) ?? '')).event;
  };

  for (const [transition, legal] of TRANSITIONS) {
    for (const state of RUN_STATES) {
      const next = legal[state];
      if (next === undefined) {
        test(`${transition} is refused for one that is ${state}, with the states for which it is not`, async () => {
          const { id, directory } = await runIn(state, service.runsDirectory);
          const before = await readFile(join(directory, 'run.json'), 'utf8');
          const problem = await problemOf(ask(transition, id), 409, 'illegal-transition');
          const { state: told, legalStates } = problem as { state?: RunState; legalStates?: RunState[] };
          assert.equal(told, state);
          assert.deepEqual([...(legalStates ?? [])].sort(), Object.keys(legal).sort());
          assert.match(problem.detail ?? '', new RegExp(`^Run ${id} is ${state} and cannot be `));
          assert.equal(await readFile(join(directory, 'run.json'), 'utf8'), before);
          assert.deepEqual((await readdir(directory)).sort(), ['events.ndjson', 'run.json']);
        });
      } else if (next === null) {
        test(`delete takes one that is ${state} away with its folder, once`, async () => {
          const { id } = await runIn(state, service.runsDirectory);
          const { id: other } = await runIn(state, service.runsDirectory);
          await ask('delete', id).expect(204);
          await problemOf(ask('delete', id), 404, 'run-not-found');
          const left = await readdir(service.runsDirectory);
          assert.ok(!left.some((name) => name.includes(id) || name.startsWith('.')), left.join());
          assert.ok(left.includes(other));
        });
      } else if (transition !== 'publish') {
        test(`${transition} makes one that is ${state} ${next}, and that is an event`, async () => {
          const { id, directory } = await runIn(state, service.runsDirectory);
          const run = RunResource.parse((await ask(transition, id).expect(202)).body);
          assert.deepEqual([run.state, run.cancelRequested], [next, false]);
          assert.equal(run.error?.message, next === 'cancelled' ? 'Somebody asked for it.' : undefined);
          assert.equal(run.endedAt === null, next === 'queued');
          assert.equal(await lastEvent(directory), next);
        });
      }
    }
  }

  test('cancel takes a run that waits out of the queue', async () => {
    const length = await service.trainer.queueLength();
    const queued = await request(service.app).post('/runs').send({ recipe: 'deep-bn' }).expect(202);
    assert.equal(await service.trainer.queueLength(), length + 1);
    await ask('cancel', RunResource.parse(queued.body).id).expect(202);
    assert.equal(await service.trainer.queueLength(), length);
  });

  test('resume queues a cancelled run, which may be cancelled again', async () => {
    const length = await service.trainer.queueLength();
    const { id, directory } = await runIn('running', service.runsDirectory);
    await ask('cancel', id).expect(202);
    assert.equal(RunResource.parse((await ask('resume', id).expect(202)).body).recoveries, 0);
    assert.equal(await service.trainer.queueLength(), length + 1);
    assert.ok(!(await readCancelRequest(directory)), 'it would be cancelled as soon as it began');
    assert.equal(RunResource.parse((await ask('cancel', id).expect(202)).body).state, 'cancelled');
    assert.equal(await service.trainer.queueLength(), length);
  });

  test('resume gives a run of the command line to the queue', async () => {
    const { id } = await runIn('interrupted', service.runsDirectory, { job: null });
    const run = RunResource.parse((await ask('resume', id).expect(202)).body);
    assert.equal(run.state, 'queued');
    assert.ok(run.queuedAt !== null);
  });

  test('cancel asks the process that works on a run, which ends it in its own time', async () => {
    const folder = await beginRun(service.runsDirectory);
    const { id } = folder.run;
    const asked = RunResource.parse((await ask('cancel', id).expect(202)).body);
    assert.deepEqual([asked.state, asked.cancelRequested], ['running', true]);
    assert.ok(await readCancelRequest(folder.directory));
    const again = RunResource.parse((await ask('cancel', id).expect(202)).body);
    assert.deepEqual(again, asked);
    await folder.end('cancelled');
    await folder.release();
    const ended = RunResource.parse((await request(service.app).get(`/runs/${id}`).expect(200)).body);
    assert.deepEqual([ended.state, ended.cancelRequested], ['cancelled', false]);
  });

  test('resume and delete wait for a process that has the folder, and then say who has it', async () => {
    const folder = await beginRun(service.runsDirectory);
    await folder.end('failed', { code: 'internal', message: 'For a test' });
    try {
      const { id } = folder.run;
      const [resumed, deleted] = await Promise.all([
        problemOf(ask('resume', id), 409, 'run-in-use'),
        problemOf(ask('delete', id), 409, 'run-in-use'),
      ]);
      assert.match(resumed.detail ?? '', new RegExp(`in use by process ${process.pid} on `));
      assert.equal(resumed.detail, deleted.detail);
    } finally {
      await folder.release();
    }
  });

  test('is asked for by many at once, and nobody is told of a fault of ours', async () => {
    for (let time = 0; time < 10; time++) {
      const { id } = await runIn('interrupted', service.runsDirectory);
      const asked: Transition[] = ['delete', 'cancel', 'resume', 'delete', 'cancel', 'resume', 'delete'];
      const answers = await Promise.all(asked.map(async (transition) => await ask(transition, id)));
      const told = answers.map(
        ({ status, body }, index) => `${asked[index]} ${status} ${(body as { type?: string }).type ?? ''}`,
      );
      assert.ok(
        answers.every(({ status }) => [202, 204, 404, 409].includes(status)),
        told.join('; '),
      );
    }
  });
});

describe('a run that was to be cancelled while another process had its folder', () => {
  let service: TestTrainer;
  before(async () => void (service = await testTrainer()));
  after(() => service.remove());

  test('is cancelled by whoever attends to it next, and never trained', async () => {
    const folder = await createRun(service.runsDirectory);
    const { id } = folder.run;
    await request(service.app).post(`/runs/${id}/cancel`).expect(202);
    await folder.release();
    await service.trainer.recover();
    await service.trainer.work(1);
    await eventually('it is cancelled', async () =>
      (await service.trainer.store.read(id)).state === 'cancelled' ? true : null,
    );
    assert.equal((await service.trainer.store.read(id)).startedAt, null);
  });
});

describe('a run whose last event was damaged by hand', () => {
  let service: TestTrainer;
  before(async () => void (service = await testTrainer()));
  after(() => service.remove());

  test('can be resumed and deleted like others', async () => {
    for (const state of ['finished', 'failed', 'cancelled'] as const) {
      const { id, directory } = await runIn(state, service.runsDirectory);
      await appendFile(join(directory, 'events.ndjson'), 'nonsense\nnull\n');
      if (state !== 'finished') await request(service.app).post(`/runs/${id}/resume`).expect(202);
      if (state !== 'finished') await request(service.app).post(`/runs/${id}/cancel`).expect(202);
      await request(service.app).delete(`/runs/${id}`).expect(204);
    }
  });
});
