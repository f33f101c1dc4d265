import assert from 'node:assert/strict';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readRun, RunFolder } from '@atelier/trainer';
import { smallRecipe } from '../../support/small-recipe.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('the folder of a run whose process exits', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => void (folder = await temporaryFolder()));
  after(() => folder.remove());

  const created = async () => {
    const run = await RunFolder.create(folder.path, {
      recipe: smallRecipe(),
      request: { engine: 'onnx', device: 'cpu', threads: 1, limit: null },
      job: null,
      publishAs: null,
    });
    await run.begin({
      engine: { name: 'onnx', kind: 'cpu', device: 'cpu, 1 thread', threads: 1, software: null, reason: 'the test' },
      data: { digest: `sha256:${'0'.repeat(64)}`, source: 'drawn', limit: null },
    });
    return run;
  };

  test('says interrupted and is free', async () => {
    const run = await created();
    run.endNow();
    const { state, error } = await readRun(run.directory);
    assert.deepEqual([state, error?.message], ['interrupted', 'The process ended in the middle of the run.']);
    assert.deepEqual(await readdir(run.directory), ['events.ndjson', 'run.json']);
  });

  test('keeps its run.json whole where the disk is full, and throws nothing', async () => {
    const run = await created();
    const path = join(run.directory, 'run.json');
    const before = await readFile(path, 'utf8');
    await symlink('/dev/full', `${path}.part`); // what is written beside goes to a device that is full
    run.endNow();
    assert.equal(await readFile(path, 'utf8'), before);
    assert.deepEqual(await readdir(run.directory), ['events.ndjson', 'run.json']);
  });

  test("leaves another owner's run and lock alone", async () => {
    const run = await created();
    const lock = join(run.directory, 'lock');
    await writeFile(lock, (await readFile(lock, 'utf8')).replace(/"token":"[^"]+"/, '"token":"theirs"'));
    run.endNow();
    assert.equal((await readRun(run.directory)).state, 'running');
    assert.match(await readFile(lock, 'utf8'), /theirs/);
  });
});
