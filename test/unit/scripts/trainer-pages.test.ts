import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { ERROR_CODES } from '@atelier/domain';
import { RunEvent, trainerApi } from '@atelier/trainer';
import { Validator } from '@seriousme/openapi-schema-validator';
import request from 'supertest';
import { trainerDocument, withTrainerApi, withTrainerSettings } from '../../../scripts/src/trainer-pages.ts';
import { testTrainer } from '../../support/trainer-service.ts';

const read = (path: string) => readFile(new URL(`../../../${path}`, import.meta.url), 'utf8');
const page = await read('docs/trainer-api.md');

describe('what is written of the trainer; where it differs, run `npm run generate:openapi`', () => {
  test('docs/openapi-trainer.json is the document that the service serves', async () => {
    assert.equal(await read('docs/openapi-trainer.json'), trainerDocument());
  });

  test('docs/trainer-api.md has the routes, problems, requests and events of the code', () => {
    assert.equal(page, withTrainerApi(page));
  });

  test("the trainer's README has the settings of the code", async () => {
    const readme = await read('services/trainer/README.md');
    assert.equal(readme, withTrainerSettings(readme));
  });

  test('it is written only where a document has a place for it', () => {
    assert.throws(() => withTrainerApi('# The trainer'), { name: 'RangeError', message: /lacks the marks/ });
  });
});

describe('docs/openapi-trainer.json', () => {
  test('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate({ ...structuredClone(trainerApi()) });
    assert.deepEqual({ valid, errors }, { valid: true, errors: undefined });
  });
});

describe('docs/trainer-api.md', () => {
  test('links every code that a route may answer to its entry in docs/errors.md, and no other', () => {
    const linked = [...page.matchAll(/\(errors\.md#([a-z-]+)\)/g)].map(([, code = '']) => code);
    const answered = [...trainerDocument().matchAll(/"\/problems\/([a-z-]+)"/g)].map(([, code = '']) => code);
    for (const code of answered) assert.ok(linked.includes(code), `${code} is linked`);
    for (const code of linked) assert.ok((ERROR_CODES as readonly string[]).includes(code), `${code} is a code`);
  });

  test('has an item for every event, and words for every kind of field', () => {
    for (const { shape } of RunEvent.options) assert.match(page, new RegExp(`^- \`${shape.event.value}\`: [A-Z]`, 'm'));
    assert.doesNotMatch(page, /undefined|NaN|\[object/);
  });

  test('has every metric of ours with what the service says of it', async () => {
    const service = await testTrainer();
    try {
      const { text } = await request(service.app).get('/metrics');
      const metrics = [...text.matchAll(/^# HELP ((?:atelier|http)_\w+) (.*)$/gm)];
      assert.ok(metrics.length >= 10, text);
      for (const [, name = '', help] of metrics) {
        assert.equal(new RegExp(`^\\| \`${name}\` +\\| (.*?) +\\|$`, 'm').exec(page)?.[1], help, name);
      }
    } finally {
      await service.remove();
    }
  });
});
