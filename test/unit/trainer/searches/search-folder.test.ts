import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findRecipe, listSearches, newSearch, readSearch, saveSearch, SearchRequest } from '@atelier/trainer';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const request = SearchRequest.parse({ recipe: 'ann-128', trials: 3 });
const at = (instant: string) => newSearch(request, findRecipe('ann-128'), 2, new Date(instant));

describe('the folder of a search', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => folder.remove());

  test('gives back what was saved, complete with defaults', async () => {
    const search = at('2026-01-02T03:04:05.678Z');
    assert.match(search.id, /^2026-01-02T03-04-05-ann-128-[0-9a-f]{8}$/);
    await saveSearch(folder.path, search);
    assert.deepEqual(await readSearch(folder.path, search.id), search);
    const { halving, seed, engine, device, limit, parallel, space } = search.request;
    assert.deepEqual(
      { halving, seed, engine, device, limit, parallel },
      {
        halving: { reduction: 2, minimumEpochs: 1 },
        seed: 0,
        engine: 'auto',
        device: 'auto',
        limit: null,
        parallel: 2,
      },
    );
    assert.equal(Object.keys(space).length, 3);
    assert.deepEqual(
      search.trials.map(({ number, run }) => [number, run]),
      [
        [1, null],
        [2, null],
        [3, null],
      ],
    );
  });

  test('is not found by an id that was never given, nor by a path', async () => {
    await writeFile(join(folder.path, 'search.json'), '{}');
    const strange = [
      '..',
      '../..',
      '.',
      '',
      'a',
      '2026-01-02T03-04-05-ann-128-ffff',
      '2026-01-02T03-04-05-a/../..',
      'x\0',
    ];
    for (const id of strange) await assert.rejects(readSearch(folder.path, id), { code: 'search-not-found' }, id);
  });

  test('with a damaged file is refused, with the file and each field', async () => {
    const search = at('2026-01-03T00:00:00.000Z');
    await saveSearch(folder.path, search);
    const path = join(folder.path, 'searches', search.id, 'search.json');
    const written = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(
      path,
      JSON.stringify({ ...written, state: 'lost', trials: [{ number: 0, values: {}, run: null }] }),
    );
    await assert.rejects(readSearch(folder.path, search.id), {
      code: 'invalid-search',
      message: /search\.json: state: .*; trials\.0\.number: /,
    });
    await writeFile(path, '{"id":');
    await assert.rejects(readSearch(folder.path, search.id), {
      code: 'invalid-search',
      message: /search\.json: .*JSON/,
    });
  });

  test('stands in the list, the newest first; a damaged one hides no other, and one without a file is none', async () => {
    const other = await temporaryFolder();
    assert.deepEqual(await listSearches(other.path), { searches: [], damaged: [] });
    const searches = ['2026-01-01T00:00:00.001Z', '2026-03-01T00:00:00.000Z', '2026-01-01T00:00:00.002Z'].map(at);
    for (const search of searches) await saveSearch(other.path, search);
    const damaged = '2026-02-01T00-00-00-ann-128-0000';
    for (const name of [damaged, '2026-02-02T00-00-00-ann-128-0000', 'notes'])
      await mkdir(join(other.path, 'searches', name));
    await writeFile(join(other.path, 'searches', damaged, 'search.json'), 'damaged');
    const list = await listSearches(other.path);
    assert.deepEqual(
      list.searches.map(({ id }) => id),
      [1, 2, 0].map((index) => searches[index]?.id),
    );
    assert.deepEqual(
      list.damaged.map(({ id, error }) => [id, error.code]),
      [[damaged, 'invalid-search']],
    );
    await other.remove();
  });
});
