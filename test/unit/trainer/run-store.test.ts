import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { RunFolder, RunStore } from '@atelier/trainer';
import { beginRun, runIn } from '../../support/stored-runs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('the store of runs', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: RunStore;
  beforeEach(async () => {
    folder = await temporaryFolder();
    store = new RunStore(folder.path);
  });
  afterEach(() => folder.remove());

  test('is empty where there is no folder yet', async () => {
    const nowhere = new RunStore(join(folder.path, 'nowhere'));
    assert.deepEqual(await nowhere.list(), []);
    await nowhere.removeLeftovers();
    await assert.rejects(nowhere.find('a'), { code: 'run-not-found' });
  });

  test('gives what was read before, and what another process has changed since', async () => {
    const run = await beginRun(folder.path);
    const { id } = run.run;
    const first = await store.find(id);
    assert.equal(await store.find(id), first, 'the same object: it was not read again');
    assert.equal((await store.list())[0], first);
    for (const epochs of [1, 2, 3]) {
      await run.update({ epochs }); // as long as before
      assert.equal((await store.find(id)).run?.epochs, epochs);
    }
    await run.end('cancelled');
    await run.release();
    assert.equal((await store.list())[0]?.state, 'cancelled');
    assert.equal(first.run?.epochs, 0);
  });

  test('sees an edit in place that changes neither length nor name', async () => {
    const { id, directory } = await runIn('finished', folder.path);
    assert.equal((await store.find(id)).run?.epochs, 0);
    const path = join(directory, 'run.json');
    const text = (await readFile(path, 'utf8')).replace('"epochs": 0', '"epochs": 9');
    await writeFile(path, text);
    await utimes(path, new Date(), new Date(Date.now() + 1000)); // an editor's second
    assert.equal((await store.find(id)).run?.epochs, 9);
  });

  test('sees a damage and its repair', async () => {
    const { id, directory } = await runIn('finished', folder.path);
    const path = join(directory, 'run.json');
    const text = await readFile(path, 'utf8');
    assert.equal((await store.read(id)).state, 'finished');
    await writeFile(path, text.slice(0, -100));
    await assert.rejects(store.read(id), { code: 'invalid-run', message: /run\.json: / });
    const { state, run, fault } = await store.find(id);
    assert.deepEqual([state, run, fault?.code], ['failed', null, 'invalid-run']);
    await writeFile(path, text);
    assert.equal((await store.read(id)).state, 'finished');
  });

  test('lists what was asked for last first, and nothing that is no run', async () => {
    const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
    const [second, third, first] = [
      await runIn('queued', folder.path, { job: { queuedAt: at(2) } }),
      await runIn('failed', folder.path, { job: { queuedAt: at(3) } }),
      await runIn('running', folder.path, { job: { queuedAt: at(1) } }),
    ];
    const ofCommandLine = await runIn('finished', folder.path, { job: null }); // by when it began: now
    await mkdir(join(folder.path, 'no-run'));
    await mkdir(join(folder.path, '.removed-x'));
    await writeFile(join(folder.path, 'run.json'), '{}');
    await writeFile(join(folder.path, 'a file'), '{}');
    const ids = (await store.list()).map(({ id }) => id);
    assert.deepEqual(ids, [ofCommandLine.id, third.id, second.id, first.id]);
  });

  test('finds no run by an id that is none, whatever lies there', async () => {
    const { directory } = await runIn('finished', folder.path);
    await symlink(directory, join(folder.path, 'with space'));
    await symlink(directory, join(folder.path, '.hidden'));
    await symlink(directory, join(folder.path, 'a.b'));
    const ids = [
      '',
      '.',
      '..',
      'with space',
      '.hidden',
      'a.b',
      'a/b',
      '../x',
      'a\0',
      'a\n',
      '-a',
      'x'.repeat(201),
      'é',
    ];
    for (const id of ids) await assert.rejects(store.find(id), { code: 'run-not-found' }, JSON.stringify(id));
    assert.equal((await store.list()).length, 1);
  });

  test('says failed of a run whose folder has the name of another', async () => {
    const { id, directory } = await runIn('finished', folder.path);
    await rename(directory, join(folder.path, 'renamed'));
    await assert.rejects(store.read('renamed'), { code: 'invalid-run', message: new RegExp(`found ${id}\\.$`) });
  });

  test('removes a run at once, and what a crash left of one later', async () => {
    const { id, directory } = await runIn('finished', folder.path);
    const stored = await store.find(id);
    await store.remove(stored);
    assert.deepEqual(await readdir(folder.path), []);
    await assert.rejects(store.find(id), { code: 'run-not-found' });
    await mkdir(join(folder.path, '.removed-abc', 'checkpoint'), { recursive: true });
    const { id: other } = await runIn('finished', folder.path);
    await store.removeLeftovers();
    assert.deepEqual(await readdir(folder.path), [other]);
    await assert.rejects(RunFolder.open(directory), { code: 'ENOENT' });
  });

  test('forgets a run that was taken away by hand', async () => {
    const { id, directory } = await runIn('finished', folder.path);
    assert.equal((await store.list()).length, 1);
    await rm(directory, { recursive: true });
    assert.deepEqual(await store.list(), []);
    await assert.rejects(store.find(id), { code: 'run-not-found' });
  });
});
