import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { RECIPES, RUN_STATES, RunResource, RunsPage } from '@atelier/trainer';
import request from 'supertest';
import { bodyOf, problemOf } from '../support/answers.ts';
import { smallRecipe } from '../support/small-recipe.ts';
import { runIn } from '../support/stored-runs.ts';
import { type TestTrainer, testTrainer } from '../support/trainer-service.ts';

const deepBn = RECIPES.get('deep-bn');
assert.ok(deepBn);

describe('POST /runs', () => {
  let service: TestTrainer;
  before(async () => void (service = await testTrainer()));
  after(() => service.remove());

  async function posted(body: object, headers: Record<string, string> = {}): Promise<RunResource> {
    const answer = await request(service.app).post('/runs').set(headers).send(body).expect(202);
    const run = RunResource.parse(answer.body);
    assert.equal(answer.headers['location'], `/runs/${run.id}`);
    return run;
  }

  test('answers with the run, which waits, and where it is', async () => {
    const run = await posted({ recipe: 'deep-bn' });
    const { id, queuedAt, ...rest } = run;
    assert.match(id, /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-deep-bn-[0-9a-f]{8}$/);
    assert.ok(queuedAt !== null);
    const nothingYet = { startedAt: null, endedAt: null, engine: null, data: null, bestEpoch: null, error: null };
    assert.deepEqual(rest, {
      ...nothingYet,
      state: 'queued',
      recipe: deepBn,
      request: { engine: 'auto', device: 'auto', threads: null, limit: null },
      resumedAt: [],
      epochs: 0,
      recoveries: 0,
      cancelRequested: false,
      trial: null,
      publishAs: null,
      published: null,
      unpublished: null,
    });
    assert.deepEqual(await bodyOf(request(service.app).get(`/runs/${id}`)), run);
    assert.ok((await readdir(service.runsDirectory)).includes(id));
  });

  test('takes the engine, the device, threads, a limit and whether to publish', async () => {
    const asked = { engine: 'onnx', device: 'cpu', threads: 2, limit: 500 };
    const run = await posted({ recipe: 'deep-bn', ...asked, publish: true });
    assert.deepEqual([run.request, run.publishAs], [asked, 'fashion-mlp']);
  });

  test('merges overrides: named fields are replaced, others stay, null takes one away', async () => {
    const overrides = {
      epochs: 3,
      optimizer: { learningRate: 0.5 },
      batchNormalization: { momentum: 0.5 },
      earlyStopping: null,
      hiddenLayers: [{ units: 8, activation: 'tanh', batchNormalization: 'none', dropout: 0 }],
    };
    const { recipe } = await posted({ recipe: 'deep-bn', overrides });
    assert.deepEqual(recipe, {
      ...deepBn,
      ...overrides,
      optimizer: { ...deepBn.optimizer, learningRate: 0.5 },
      batchNormalization: { ...deepBn.batchNormalization, momentum: 0.5 },
    });
  });

  test('replaces an object by one of another kind as a whole', async () => {
    const optimizer = { kind: 'sgd', learningRate: 0.1 };
    const schedule = { kind: 'constant' };
    const { recipe } = await posted({ recipe: 'deep-bn', overrides: { optimizer, schedule } });
    assert.deepEqual(recipe, { ...deepBn, optimizer, schedule });
    const sameKind = { optimizer: { kind: 'adam', beta1: 0.5 } };
    const merged = await posted({ recipe: 'deep-bn', overrides: sameKind });
    assert.deepEqual(merged.recipe?.optimizer, { ...deepBn.optimizer, beta1: 0.5 });
  });

  test("takes a seed in place of the recipe's and of the overrides'", async () => {
    assert.equal((await posted({ recipe: 'deep-bn', seed: 0 })).recipe?.seed, 0);
    assert.equal((await posted({ recipe: 'deep-bn', overrides: { seed: 5 } })).recipe?.seed, 5);
    assert.equal(
      (await posted({ recipe: 'deep-bn', overrides: { seed: 5 }, seed: 2 ** 31 - 1 })).recipe?.seed,
      2 ** 31 - 1,
    );
  });

  test('takes a whole recipe, fills its defaults in, and merges overrides into it', async () => {
    const source = {
      name: 'my-own',
      description: 'Small',
      hiddenLayers: [{ units: 4, activation: 'relu', batchNormalization: 'none', dropout: 0 }],
      initializer: 'he-normal',
      inputRange: [-1, 1],
      optimizer: { kind: 'sgd', learningRate: 0.1 },
      batchSize: 10,
      epochs: 2,
      validationShare: 0.1,
      seed: 3,
    };
    const { id, recipe } = await posted({ recipe: source, overrides: { epochs: 4 } });
    assert.match(id, /-my-own-/);
    assert.deepEqual({ ...recipe, ...source, epochs: 4 }, recipe);
    assert.deepEqual([recipe?.weightDecay, recipe?.schedule], [{ kind: 'none' }, { kind: 'constant' }]);
  });

  test('takes JSON under any case of its type, and with its charset', async () => {
    await posted({ recipe: 'deep-bn' }, { 'Content-Type': 'Application/JSON; charset="UTF-8"' });
  });
});

describe('an Idempotency-Key', () => {
  let service: TestTrainer;
  before(async () => void (service = await testTrainer()));
  after(() => service.remove());
  const post = (key: string, body: object, app = service.app) =>
    request(app).post('/runs').set('Idempotency-Key', key).send(body);
  const idOf = async (answer: request.Test) => {
    const accepted = await answer.expect(202);
    const { id } = RunResource.parse(accepted.body);
    assert.equal(accepted.headers['location'], `/runs/${id}`);
    return id;
  };

  test('makes a repeated request the same run, in whatever order its fields come', async () => {
    const first = await idOf(post('a', { recipe: 'deep-bn', seed: 7, overrides: { epochs: 2, batchSize: 10 } }));
    const again = await idOf(post('a', { overrides: { batchSize: 10, epochs: 2 }, seed: 7, recipe: 'deep-bn' }));
    assert.equal(again, first);
    assert.notEqual(await idOf(post('b', { recipe: 'deep-bn', seed: 7 })), first);
  });

  test('makes one run of many requests that come at once', async () => {
    const same = await Promise.all(Array.from({ length: 12 }, () => idOf(post('at-once', { recipe: 'deep-bn' }))));
    assert.equal(new Set(same).size, 1);
    assert.equal(await service.trainer.queueLength(), (await readdir(service.runsDirectory)).length);
  });

  test('is told which run it asked for before, where the request is another one', async () => {
    const first = await idOf(post('c', { recipe: 'deep-bn' }));
    for (const other of [
      { recipe: 'mlp-gelu' },
      { recipe: 'deep-bn', limit: 100 },
      { recipe: 'deep-bn', publish: true },
    ]) {
      const problem = await problemOf(post('c', other), 422, 'idempotency-key-reused');
      assert.equal((problem as { run?: string }).run, first);
    }
  });

  test('is remembered by whoever serves the folder next, also when the run has ended', async () => {
    const first = await idOf(post('d', { recipe: 'deep-bn' }));
    await request(service.app).post(`/runs/${first}/cancel`).expect(202);
    const next = await testTrainer({ runsDirectory: service.runsDirectory });
    try {
      assert.equal(await idOf(post('d', { recipe: 'deep-bn' }, next.app)), first);
      await problemOf(post('d', { recipe: 'mlp-gelu' }, next.app), 422, 'idempotency-key-reused');
    } finally {
      await next.remove();
    }
  });

  test('is free again when its run was deleted', async () => {
    const first = await idOf(post('e', { recipe: 'deep-bn' }));
    await request(service.app).post(`/runs/${first}/cancel`).expect(202);
    await request(service.app).delete(`/runs/${first}`).expect(204);
    assert.notEqual(await idOf(post('e', { recipe: 'mlp-gelu' })), first);
  });
});

describe('GET /runs', () => {
  let service: TestTrainer;
  before(async () => void (service = await testTrainer()));
  after(() => service.remove());

  const page = async (query: Record<string, string | number> = {}) =>
    RunsPage.parse(await bodyOf(request(service.app).get('/runs').query(query)));
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
  /** Made in the order of its number. */
  async function made(number: number): Promise<string> {
    const state = RUN_STATES[number % RUN_STATES.length] ?? 'queued';
    const recipe = smallRecipe({ name: number % 2 === 0 ? 'even' : 'odd' });
    return (await runIn(state, service.runsDirectory, { recipe, job: { queuedAt: at(number) } })).id;
  }
  /** The pages one after another, with what happens between them. */
  async function pages(
    query: Record<string, string | number>,
    between: () => Promise<unknown> = () => Promise.resolve(),
  ) {
    const ids: string[][] = [];
    for (let next: string | null = ''; next !== null; await between()) {
      const { runs, next: after }: RunsPage = await page(next === '' ? query : { ...query, after: next });
      ids.push(runs.map(({ id }) => id));
      next = after;
      assert.ok(ids.length < 100, 'pages without end');
    }
    return ids;
  }

  test('is empty before the first run', async () => {
    assert.deepEqual(await page(), { runs: [], next: null });
  });

  test('lists the newest first, and filters by state and recipe', async () => {
    const ids: string[] = [];
    for (let number = 0; number < 12; number++) ids.unshift(await made(number));
    const { runs, next } = await page();
    assert.deepEqual([runs.map(({ id }) => id), next], [ids, null]);
    for (const state of RUN_STATES) {
      const { runs: found } = await page({ state });
      assert.deepEqual(
        found,
        runs.filter((run) => run.state === state),
      );
      assert.equal(found.length, 2);
    }
    const { runs: odd } = await page({ recipe: 'odd', state: 'running' });
    assert.deepEqual(
      odd,
      runs.filter(({ recipe, state }) => recipe?.name === 'odd' && state === 'running'),
    );
    assert.equal(odd.length, 2);
    assert.deepEqual((await page({ recipe: 'nothing' })).runs, []);
    assert.deepEqual((await page({ search: 'nothing' })).runs, []);
  });

  test('goes through all pages of any size without a repeat or a gap', async () => {
    const all = (await page()).runs.map(({ id }) => id);
    for (const limit of [1, 2, 5, 11, 12, 500]) {
      const found = await pages({ limit });
      assert.deepEqual(found.flat(), all);
      assert.ok(found.every(({ length }) => length <= limit));
      assert.equal(found.length, Math.ceil(all.length / limit));
    }
    const even = await pages({ limit: 2, recipe: 'even' });
    assert.deepEqual(
      even.map(({ length }) => length),
      [2, 2, 2],
    );
  });

  test('goes on where it was while runs come and go', async () => {
    const all = (await page()).runs.map(({ id }) => id);
    let number = 100;
    const gone: string[] = [];
    const found = await pages({ limit: 3 }, async () => {
      await made(number++); // newer than all that was asked for
      const last = (await page({ limit: 500 })).runs.findLast(
        ({ id, state }) => state !== 'queued' && state !== 'running' && !gone.includes(id),
      );
      assert.ok(last);
      gone.push(last.id);
      await request(service.app).delete(`/runs/${last.id}`).expect(204);
    });
    const listed = found.flat();
    assert.equal(new Set(listed).size, listed.length, 'a run came twice');
    const missing = all.filter((id) => !listed.includes(id));
    assert.ok(
      missing.every((id) => gone.includes(id)),
      'a run was left out',
    );
    assert.ok(listed.every((id) => all.includes(id)));
    assert.ok(found.length > 2);
  });

  test('keeps runs of the same moment apart', async () => {
    const queuedAt = at(1000);
    const twins = await Promise.all(
      Array.from({ length: 5 }, () => runIn('failed', service.runsDirectory, { job: { queuedAt } })),
    );
    const found = (await pages({ limit: 2 })).flat();
    assert.equal(new Set(found).size, found.length);
    assert.deepEqual(new Set(found.slice(0, 5)), new Set(twins.map(({ id }) => id)));
  });

  const wrong: [query: string, parameter: string, words: RegExp][] = [
    ['limit=0', 'limit', /from 1 to 500/],
    ['limit=501', 'limit', /from 1 to 500/],
    ['limit=1e2', 'limit', /from 1 to 500/],
    ['limit=', 'limit', /from 1 to 500/],
    ['limit=1&limit=2', 'limit', /string/],
    ['state=done', 'state', /"queued"\|"running"/],
    ['state=queued&state=failed', 'state', /"queued"\|"running"/],
    ['after=', 'after', /`next`/],
    ['after=nonsense', 'after', /`next`/],
    [`after=${Buffer.from('some words').toString('base64url')}`, 'after', /`next`/],
    [`after=${'x'.repeat(501)}`, 'after', /500/],
    [`recipe=${'x'.repeat(65)}`, 'recipe', /64/],
    ['page=2', 'page', /unknown/],
    ['recipe[$ne]=x', 'recipe[$ne]', /unknown/],
    ['__proto__=x', '__proto__', /unknown/],
  ];
  for (const [query, parameter, words] of wrong) {
    test(`refuses ?${query.slice(0, 40)}`, async () => {
      const { errors = [] } = await problemOf(request(service.app).get(`/runs?${query}`), 422, 'invalid-request');
      assert.deepEqual(
        errors.map((each) => each.parameter),
        [parameter],
      );
      assert.match(errors[0]?.detail ?? '', words);
    });
  }
});

describe('a run that is not there', () => {
  let service: TestTrainer;
  before(async () => {
    service = await testTrainer();
    // What a way out of the folder of runs, or into what is none, would find.
    const run = await runIn('finished', service.runsDirectory);
    const text = await readFile(join(run.directory, 'run.json'), 'utf8');
    await writeFile(join(service.runsDirectory, 'run.json'), text);
    await writeFile(join(service.runsDirectory, '..', 'run.json'), text);
    await writeFile(join(service.runsDirectory, 'a-file'), text);
  });
  after(() => service.remove());

  const ids = [
    'unknown',
    '%2e',
    '%2e%2e',
    '..%2f',
    '..%2fruns',
    '%2fetc%2fpasswd',
    'a-file',
    'run.json',
    'a%00',
    '%00',
  ];
  const odd = [
    '.removed-x',
    'a%20b',
    '%5c..%5c',
    '%C3%A9',
    '%F0%9F%92%A9',
    '-',
    '*',
    'x'.repeat(201),
    'x'.repeat(8000),
    '%2e%2e%3b',
  ];
  const routes = ['', '/history', '/report', '/model.onnx', '/log', '/events'];
  for (const id of [...ids, ...odd]) {
    test(`is 404 on every route, as ${id.slice(0, 30)}`, async () => {
      for (const route of routes) {
        await problemOf(request(service.app).get(`/runs/${id}${route}`), 404, 'run-not-found');
      }
      for (const action of ['cancel', 'resume', 'publish']) {
        await problemOf(request(service.app).post(`/runs/${id}/${action}`), 404, 'run-not-found');
      }
      await problemOf(request(service.app).delete(`/runs/${id}`), 404, 'run-not-found');
    });
  }

  test('is 400 where its percent-encoding is broken', async () => {
    for (const id of ['%', '%zz', '%ff', '%c0%ae%c0%ae']) {
      await problemOf(request(service.app).get(`/runs/${id}`), 400, 'malformed-request');
      await problemOf(request(service.app).delete(`/runs/${id}`), 400, 'malformed-request');
    }
  });

  test('is not the folder that a process has only begun to make, nor one that it began to remove', async () => {
    await mkdir(join(service.runsDirectory, 'begun'));
    const { id, directory } = await runIn('finished', service.runsDirectory);
    await rename(directory, join(service.runsDirectory, `.removed-${id}`));
    for (const name of ['begun', id, `.removed-${id}`]) {
      await problemOf(request(service.app).get(`/runs/${name}`), 404, 'run-not-found');
    }
    const { runs } = RunsPage.parse(await bodyOf(request(service.app).get('/runs')));
    assert.equal(runs.length, 1, 'only the one that this began with');
    await service.trainer.store.removeLeftovers();
    assert.ok(!(await readdir(service.runsDirectory)).includes(`.removed-${id}`));
  });
});
