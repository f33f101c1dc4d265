import assert from 'node:assert/strict';
import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createLog } from '@atelier/http';
import { findRecipe, newSearch, saveSearch, type Search, Searches, SearchRequest } from '@atelier/trainer';
import { eventually } from '../../../support/eventually.ts';
import { type TestTrainer, testTrainer } from '../../../support/trainer-service.ts';

const request = SearchRequest.parse({ recipe: 'ann-128', trials: 3 });
/** Of a process that cannot be looked for from here. */
const FOREIGN = {
  host: 'another-container',
  pid: 1,
  pidNamespace: 'pid:[1]',
  processStart: null,
  since: new Date().toISOString(),
  token: 'theirs',
};

describe('searches of a service', () => {
  let service: TestTrainer;
  let searches: Searches;
  beforeEach(async () => {
    service = await testTrainer();
    const options = { parallel: 1, pollMs: 20, recoveryIntervalMs: 30 };
    searches = new Searches(service.trainer, options, createLog('test', 'silent'));
  });
  afterEach(async () => {
    await searches.stop();
    await service.remove();
  });

  async function left(): Promise<{ search: Search; lock: string }> {
    const search = newSearch(request, findRecipe('ann-128'), 1);
    await mkdir(join(service.runsDirectory, 'searches', search.id), { recursive: true });
    await saveSearch(service.runsDirectory, search);
    return { search, lock: join(service.runsDirectory, 'searches', search.id, 'lock') };
  }
  const runsOf = async ({ id }: Search) =>
    (await service.trainer.store.list()).filter(({ run }) => run?.job?.trial?.search === id);
  const takenUp = (search: Search) =>
    eventually('its first trial waits', async () => ((await runsOf(search)).length === 1 ? true : null));

  test('one whose lock outlives its process is taken up when the lock counts no more', async () => {
    const { search, lock } = await left();
    await writeFile(lock, JSON.stringify(FOREIGN));
    await searches.start();
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.deepEqual(await runsOf(search), []);
    assert.equal(await searches.goOn(search.id), false);
    const longAgo = new Date(Date.now() - 61_000);
    await utimes(lock, longAgo, longAgo);
    await takenUp(search);
    assert.equal(await searches.goOn(search.id), true);
  });

  test('one whose lock cannot be read keeps no other waiting, nor the service from its start', async () => {
    const [damaged, whole] = [await left(), await left()];
    await mkdir(damaged.lock);
    await searches.start();
    await takenUp(whole.search);
    assert.deepEqual(await runsOf(damaged.search), []);
    await rm(damaged.lock, { recursive: true });
    await takenUp(damaged.search);
  });

  test('one that is cancelled is not taken up meanwhile', async () => {
    const { search } = await left();
    await searches.start();
    await takenUp(search);
    assert.equal((await searches.cancel(search.id)).state, 'cancelled');
  });

  test('a history is read again only when its run has changed', async () => {
    const { search } = await left();
    await searches.start();
    await takenUp(search);
    const known = () =>
      eventually('the trial is known', async () => {
        const { results } = await searches.find(search.id);
        return results.trials.find(({ run }) => run !== null) ?? null;
      });
    const { run } = await known();
    const folder = join(service.runsDirectory, run ?? '');
    await writeFile(join(folder, 'history.ndjson'), 'damaged\n');
    assert.equal((await known()).epochs, 0);
    await searches.stop();
    await writeFile(join(folder, 'run.json'), `${await readFile(join(folder, 'run.json'), 'utf8')}\n`);
    await assert.rejects(searches.find(search.id), { code: 'invalid-run' });
  });
});
