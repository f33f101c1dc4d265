import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { RunsPage, SearchesList, SearchResource } from '@atelier/trainer';
import request from 'supertest';
import { bodyOf, problemOf } from '../support/answers.ts';
import { type TestTrainer, testTrainer } from '../support/trainer-service.ts';
import { smallLayer } from '../support/small-recipe.ts';
import { eventually } from '../support/eventually.ts';

/** Trains nothing where nobody works. */
const wanted = { recipe: 'ann-128', trials: 5, parallel: 2, seed: 3 };

describe('searches', () => {
  let service: TestTrainer;
  before(async () => void (service = await testTrainer()));
  after(() => service.remove());

  const post = (body: object) => request(service.app).post('/searches').send(body);
  const posted = async (body: object) => SearchResource.parse((await post(body).expect(202)).body);

  test('POST /searches draws the trials and queues as many runs as may be outstanding', async () => {
    const response = await post(wanted).expect(202);
    const search = SearchResource.parse(response.body);
    assert.equal(response.headers['location'], `/searches/${search.id}`);
    assert.equal(search.state, 'running');
    assert.equal(search.trials.length, 5);
    const runs = await eventually('two trials wait', async () => {
      const page = RunsPage.parse(await bodyOf(request(service.app).get(`/runs?search=${search.id}`)));
      return page.runs.length === 2 ? page.runs : null;
    });
    assert.deepEqual(runs.map(({ trial }) => trial?.number).sort(), [1, 2]);
    for (const { trial, recipe, state } of runs) {
      assert.equal(state, 'queued');
      const { values } = search.trials.find(({ number }) => number === trial?.number) ?? {};
      assert.equal(recipe?.optimizer.learningRate, values?.['/optimizer/learningRate']);
    }
    await eventually('the search knows both', async () => {
      const { trials } = SearchResource.parse(await bodyOf(request(service.app).get(`/searches/${search.id}`)));
      return trials.filter(({ run }) => run !== null).length === 2 ? true : null;
    });
    const list = SearchesList.parse(await bodyOf(request(service.app).get('/searches')));
    assert.equal(list.searches[0]?.id, search.id);
  });

  test('the same seed draws the same trials, another one others', async () => {
    const [one, same, other] = [await posted(wanted), await posted(wanted), await posted({ ...wanted, seed: 4 })];
    const values = ({ trials }: SearchResource) =>
      trials.toSorted((a, b) => a.number - b.number).map((trial) => trial.values);
    assert.deepEqual(values(same), values(one));
    assert.notDeepEqual(values(other), values(one));
  });

  test('a cancelled search ends its trials, and can be cancelled once', async () => {
    const { id } = await posted(wanted);
    await eventually('two trials wait', async () => {
      const { runs } = RunsPage.parse(await bodyOf(request(service.app).get(`/runs?search=${id}`)));
      return runs.length === 2 ? true : null;
    });
    const search = SearchResource.parse(await bodyOf(request(service.app).post(`/searches/${id}/cancel`)));
    assert.equal(search.state, 'cancelled');
    assert.ok(search.endedAt !== null);
    const { runs } = RunsPage.parse(await bodyOf(request(service.app).get(`/runs?search=${id}`)));
    assert.deepEqual(
      runs.map(({ state }) => state),
      ['cancelled', 'cancelled'],
    );
    assert.match(runs[0]?.error?.message ?? '', /the search was cancelled/);
    const problem = await problemOf(request(service.app).post(`/searches/${id}/cancel`), 409, 'illegal-transition');
    assert.deepEqual((problem as { legalStates?: unknown }).legalStates, ['running']);
  });

  test('has no best recipe and no report before a trial has come to something', async () => {
    const { id } = await posted(wanted);
    for (const part of ['best-recipe', 'report']) {
      await problemOf(request(service.app).get(`/searches/${id}/${part}`), 409, 'search-unfinished');
    }
  });

  const faulty: [title: string, body: object, pointer: string, detail: RegExp][] = [
    ['an unknown recipe', { ...wanted, recipe: 'ann' }, '/recipe', /expected one of .*ann-128/],
    [
      'an override out of range',
      { ...wanted, overrides: { epochs: 0 } },
      '/overrides/epochs',
      /from 1 to 10,000; came 0/,
    ],
    ['no trials', { recipe: 'ann-128' }, '/trials', /./],
    ['too many trials', { ...wanted, trials: 1001 }, '/trials', /./],
    [
      'an unknown field',
      { ...wanted, space: { '/optimizer/rate': { kind: 'uniform', minimum: 0, maximum: 1 } } },
      '/space/~1optimizer~1rate',
      /has no "rate"/,
    ],
    [
      'a bound out of range',
      { ...wanted, space: { '/hiddenLayers/0/dropout': { kind: 'uniform', minimum: 0, maximum: 1 } } },
      '/space/~1hiddenLayers~10~1dropout/maximum',
      /from 0 to below 1; came 1/,
    ],
    [
      'what may not be searched',
      { ...wanted, space: { '/epochs': { kind: 'integer', minimum: 1, maximum: 5 } } },
      '/space/~1epochs',
      /./,
    ],
    [
      'equal choices, however many draws would collide',
      { ...wanted, space: { '/batchSize': { kind: 'choice', values: [16, 32, 16] } } },
      '/space/~1batchSize/values/2',
      /equals values\/0/,
    ],
    ['an unknown name', { ...wanted, trails: 5 }, '/trails', /./],
  ];
  for (const [title, body, pointer, detail] of faulty) {
    test(`${title} is refused, and leaves no search`, async () => {
      const before = SearchesList.parse(await bodyOf(request(service.app).get('/searches')));
      const { errors = [] } = await problemOf(post(body), 422, 'invalid-request');
      assert.equal(errors[0]?.pointer, pointer, JSON.stringify(errors));
      assert.match(errors[0].detail, detail);
      assert.deepEqual(SearchesList.parse(await bodyOf(request(service.app).get('/searches'))), before);
    });
  }

  test('a recipe that could not be trained is refused before it is a search', async () => {
    const before = SearchesList.parse(await bodyOf(request(service.app).get('/searches')));
    const wide = Array.from({ length: 4 }, () => smallLayer({ units: 16_384 }));
    await problemOf(post({ ...wanted, overrides: { hiddenLayers: wide } }), 422, 'invalid-recipe');
    assert.deepEqual(SearchesList.parse(await bodyOf(request(service.app).get('/searches'))), before);
  });

  test('recipes are drawn while the service answers others', async () => {
    let slowest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      slowest = Math.max(slowest, performance.now() - last);
      last = performance.now();
    }, 5).unref();
    const layers = Array.from({ length: 32 }, () => smallLayer({ units: 8 }));
    const space = Object.fromEntries(
      layers.map((_, index) => [`/hiddenLayers/${index}/dropout`, { kind: 'uniform', minimum: 0, maximum: 0.5 }]),
    );
    const start = performance.now();
    await posted({ ...wanted, trials: 1000, overrides: { hiddenLayers: layers }, space });
    clearInterval(timer);
    const whole = performance.now() - start;
    assert.ok(slowest < whole / 2, `the longest pause has ${slowest} ms of ${whole}`);
  });

  test('a device that is absent is refused before anything is queued', async () => {
    const before = await service.trainer.queueLength();
    const { detail } = await problemOf(post({ ...wanted, device: 'cuda' }), 409, 'device-unavailable');
    assert.match(detail ?? '', /no GPU/);
    assert.equal(await service.trainer.queueLength(), before);
  });

  test('ids that are none are 404', async () => {
    for (const id of ['unknown', '..', '..%2F..', '%2e%2e', 'searches', 'a%00b']) {
      await problemOf(request(service.app).get(`/searches/${id}`), 404, 'search-not-found');
      await problemOf(request(service.app).post(`/searches/${id}/cancel`), 404, 'search-not-found');
    }
  });

  test('one whose file was edited by hand into nonsense is named, and hides no other', async () => {
    const { id } = await posted(wanted);
    const damaged = '2026-01-01T00-00-00-ann-128-0000';
    const folder = join(service.runsDirectory, 'searches', damaged);
    await mkdir(folder);
    await writeFile(join(folder, 'search.json'), '{"id": 3}');
    const { detail } = await problemOf(request(service.app).get(`/searches/${damaged}`), 409, 'invalid-search');
    assert.match(detail ?? '', /search\.json: .*state: /);
    const list = SearchesList.parse(await bodyOf(request(service.app).get('/searches')));
    assert.deepEqual(
      list.damaged.map((each) => each.id),
      [damaged],
    );
    assert.ok(list.searches.some((search) => search.id === id));
  });
});
