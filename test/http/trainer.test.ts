import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Recipe } from '@atelier/domain';
import { createLog } from '@atelier/http';
import { buildTrainerApp, findFault, readTrainerConfig, RECIPES } from '@atelier/trainer';
import request from 'supertest';

const log = createLog('test', 'silent');

describe('trainer routes', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'atelier-trainer-'));
  });
  after(() => rm(directory, { recursive: true }));

  test('GET /healthz says alive, and GET /readyz ready', async () => {
    const app = buildTrainerApp({ log, fault: await findFault(join(directory, 'runs')) });
    await request(app).get('/healthz').expect(200, { status: 'alive' });
    await request(app).get('/readyz').expect(200, { status: 'ready', recipes: RECIPES.size });
  });

  test('GET /recipes gives every recipe whole', async () => {
    const { body } = (await request(buildTrainerApp({ log, fault: null }))
      .get('/recipes')
      .expect(200)) as {
      body: { recipes: unknown[] };
    };
    const names = body.recipes.map((recipe) => Recipe.parse(recipe).name);
    assert.deepEqual(names, [...RECIPES.keys()]);
  });

  test('is alive but not ready when the runs cannot be written', async () => {
    const file = join(directory, 'a-file');
    await writeFile(file, '');
    const app = buildTrainerApp({ log, fault: await findFault(join(file, 'runs')) });
    await request(app).get('/healthz').expect(200);
    const response = await request(app).get('/readyz').expect(503);
    assert.equal((response.body as { type: string }).type, '/problems/not-ready');
    assert.equal(response.headers['retry-after'], undefined, 'waiting does not help');
  });

  test('answers an unknown route with 404 and a wrong method with 405, as problem details', async () => {
    const app = buildTrainerApp({ log, fault: null });
    const missing = await request(app).get('/nothing').expect(404);
    assert.equal((missing.body as { type: string }).type, '/problems/route-not-found');
    assert.match(missing.headers['content-type'] ?? '', /^application\/problem\+json/);
    const wrong = await request(app).delete('/recipes').expect(405);
    assert.equal((wrong.body as { type: string }).type, '/problems/method-not-allowed');
  });

  test('reports every fault of its configuration together', () => {
    assert.throws(() => readTrainerConfig({ TRAINER_PORT: 'http', LOG_LEVEL: 'loud' }), {
      code: 'invalid-configuration',
      message: /TRAINER_PORT=http.*LOG_LEVEL=loud/,
    });
    assert.deepEqual(readTrainerConfig({}), { host: '127.0.0.1', port: 8081, runsDirectory: 'runs', logLevel: 'info' });
  });
});
