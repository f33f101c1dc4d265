import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Recipe } from '@atelier/domain';
import { RECIPES, RunResource, SearchResource } from '@atelier/trainer';
import request from 'supertest';
import { bodyOf } from '../support/answers.ts';
import { smallRecipe } from '../support/small-recipe.ts';
import { type TestTrainer, testTrainer } from '../support/trainer-service.ts';
import { eventually } from '../support/eventually.ts';

describe('a search of trials that are trained (real data)', () => {
  let service: TestTrainer;
  let search: SearchResource;
  before(async () => {
    service = await testTrainer();
    await service.trainer.work(2);
    const body = {
      recipe: smallRecipe({ epochs: 4 }),
      trials: 4,
      parallel: 2,
      halving: { reduction: 3 },
      engine: 'onnx',
      limit: 1000,
    };
    const { id } = SearchResource.parse((await request(service.app).post('/searches').send(body).expect(202)).body);
    search = await eventually(
      'the search has ended',
      async () => {
        const found = SearchResource.parse(await bodyOf(request(service.app).get(`/searches/${id}`)));
        return found.endedAt === null ? null : found;
      },
      120_000,
    );
  });
  after(() => service.remove());

  test('stops weak trials early and takes one to its end, and trains each epoch once', async () => {
    assert.equal(search.state, 'finished', JSON.stringify(search.error));
    const [best, ...others] = search.trials;
    assert.deepEqual([best?.state, best?.epochs], ['finished', 4]);
    assert.deepEqual(
      others.map(({ state, epochs }) => [state, epochs]),
      [1, 1, 1].map((epochs) => ['stopped', epochs]),
    );
    assert.equal(search.epochs, 7);
    const run = RunResource.parse(await bodyOf(request(service.app).get(`/runs/${best?.run}`)));
    assert.equal(run.resumedAt.length, 1, 'it paused once');
    const history = (await bodyOf(request(service.app).get(`/runs/${best?.run}/history`))) as { epochs: object[] };
    assert.equal(history.epochs.length, 4);
    const stopped = RunResource.parse(await bodyOf(request(service.app).get(`/runs/${others[0]?.run}`)));
    assert.deepEqual([stopped.state, stopped.error?.message], ['cancelled', 'Stopped after epoch 1: place 2 of 4.']);
  });

  test('gives a report that loads nothing, and a recipe that a run can be asked for with', async () => {
    const page = await request(service.app).get(`/searches/${search.id}/report`).expect(200);
    assert.match(page.headers['content-type'] ?? '', /^text\/html/);
    assert.match(page.headers['content-security-policy'] ?? '', /^default-src 'none'/);
    assert.match(page.text, /learningRate/);
    const recipe = Recipe.parse(await bodyOf(request(service.app).get(`/searches/${search.id}/best-recipe`)));
    assert.equal(recipe.name, 'small-search');
    assert.equal(recipe.optimizer.learningRate, search.trials[0]?.values['/optimizer/learningRate']);
    await request(service.app).post('/runs').send({ recipe, limit: 1000 }).expect(202);
    const path = join(service.runsDirectory, 'searches', search.id, 'best-recipe.json');
    assert.deepEqual(Recipe.parse(JSON.parse(await readFile(path, 'utf8'))), recipe);
  });

  test('looks at the test images for the one trial that came to its end, and no other', async () => {
    const looks = (await readFile(join(service.runsDirectory, 'test-looks.ndjson'), 'utf8')).trim().split('\n');
    const ofTrials = looks.filter((line) => search.trials.some(({ run }) => run !== null && line.includes(run)));
    assert.equal(ofTrials.length, 1);
    assert.ok(!RECIPES.has(search.request.recipe.name));
  });
});
