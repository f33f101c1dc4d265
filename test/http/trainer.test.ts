import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Recipe } from '@atelier/domain';
import { createLog } from '@atelier/http';
import { findFault, readTrainerConfig, RECIPES } from '@atelier/trainer';
import request from 'supertest';
import { bodyOf, problemOf } from '../support/answers.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type TestTrainer, testTrainer } from '../support/trainer-service.ts';

describe('trainer routes', () => {
  let service: TestTrainer;
  before(async () => void (service = await testTrainer()));
  after(() => service.remove());

  test('GET /healthz says alive, and GET /readyz ready', async () => {
    assert.deepEqual(await bodyOf(request(service.app).get('/healthz')), { status: 'alive' });
    assert.deepEqual(await bodyOf(request(service.app).get('/readyz')), { status: 'ready', recipes: RECIPES.size });
  });

  test('GET /recipes gives every recipe whole, and GET /recipes/<name> one', async () => {
    const { recipes } = (await bodyOf(request(service.app).get('/recipes'))) as { recipes: unknown[] };
    assert.deepEqual(
      recipes.map((recipe) => Recipe.parse(recipe).name),
      [...RECIPES.keys()],
    );
    assert.deepEqual(await bodyOf(request(service.app).get('/recipes/deep-bn')), RECIPES.get('deep-bn'));
    const { detail } = await problemOf(request(service.app).get('/recipes/deep'), 404, 'unknown-recipe');
    assert.match(detail ?? '', /there is: .*deep-bn/);
  });
});
