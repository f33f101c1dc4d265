import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { recoverRuns, requestCancel, RunStore, type StoredRun } from '@atelier/trainer';
import { beginRun, createRun, endEpoch, epochReport, runIn } from '../../support/stored-runs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('runs that are found when a service starts', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: RunStore;
  beforeEach(async () => {
    folder = await temporaryFolder();
    store = new RunStore(folder.path);
  });
  afterEach(() => folder.remove());

  const at = (second: number) => ({ queuedAt: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString() });
  async function recovered(attended: string[] = []) {
    const faults: { id: string; error: unknown }[] = [];
    const isWanted = ({ id }: StoredRun) => !attended.includes(id);
    const waiting = await recoverRuns(store, isWanted, ({ id }, error) => faults.push({ id, error }));
    return { waiting, faults };
  }
  const stateOf = async (id: string) => (await store.read(id)).state;

  test('wait in the order in which they were asked for, whatever became of them', async () => {
    const second = await runIn('queued', folder.path, { job: at(2) });
    const third = await runIn('running', folder.path, { job: at(3) });
    const first = await runIn('interrupted', folder.path, { job: at(1) });
    for (const state of ['finished', 'failed', 'cancelled'] as const) await runIn(state, folder.path, { job: at(0) });
    const { waiting, faults } = await recovered();
    assert.deepEqual(waiting, [first.id, second.id, third.id]);
    assert.deepEqual(faults, []);
    for (const id of waiting) assert.equal(await stateOf(id), 'queued');
    assert.equal((await store.read(third.id)).job?.recoveries, 1, 'it had crashed');
    assert.equal((await store.read(first.id)).job?.recoveries, 0);
    assert.deepEqual((await recovered()).waiting, waiting, 'until somebody works on them');
  });

  test('are left alone where somebody works on them', async () => {
    const running = await beginRun(folder.path); // holds its folder
    const ours = await runIn('running', folder.path);
    const { waiting, faults } = await recovered([ours.id]);
    assert.deepEqual([waiting, faults], [[], []]);
    assert.deepEqual([await stateOf(running.run.id), await stateOf(ours.id)], ['running', 'running']);
    await running.release();
  });

  test('of the command line are not trained by a service; one that was killed is interrupted', async () => {
    const [queued, killed, interrupted] = [
      await runIn('queued', folder.path, { job: null }),
      await runIn('running', folder.path, { job: null }),
      await runIn('interrupted', folder.path, { job: null }),
    ];
    assert.deepEqual((await recovered()).waiting, []);
    assert.equal(await stateOf(queued.id), 'queued');
    assert.equal(await stateOf(killed.id), 'interrupted');
    assert.equal(await stateOf(interrupted.id), 'interrupted');
  });

  test('stay paused where a search is to look at them', async () => {
    const run = await createRun(folder.path, { job: { untilEpoch: 1 } });
    await run.release();
    const paused = await beginRun(folder.path, { job: { untilEpoch: 1 } });
    await endEpoch(paused, epochReport(1));
    await paused.end('interrupted', { code: 'training-interrupted', message: 'Paused' });
    await paused.release();
    assert.deepEqual((await recovered()).waiting, [run.run.id]);
    assert.equal(await stateOf(paused.run.id), 'interrupted');
  });

  test('are cancelled where that was asked for before the crash', async () => {
    const { id, directory } = await runIn('running', folder.path);
    await requestCancel(directory, 'It was asked for.');
    assert.deepEqual((await recovered()).waiting, []);
    assert.equal(await stateOf(id), 'cancelled');
  });

  test('do not keep each other from being found when one is damaged or cannot be written', async () => {
    const damaged = await runIn('running', folder.path, { job: at(1) });
    await writeFile(join(damaged.directory, 'run.json'), 'nonsense');
    const closed = await runIn('running', folder.path, { job: at(2) });
    await mkdir(join(closed.directory, 'run.json.part')); // nothing can be written beside
    const whole = await runIn('running', folder.path, { job: at(3) });
    const { waiting, faults } = await recovered();
    assert.deepEqual(waiting, [whole.id]);
    assert.deepEqual(
      faults.map(({ id }) => id),
      [closed.id],
    );
  });
});
