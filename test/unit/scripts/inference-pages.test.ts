import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { ERROR_CODES } from '@atelier/domain';
import { inferenceApi } from '@atelier/inference';
import { Validator } from '@seriousme/openapi-schema-validator';
import { inferenceDocument, withInferenceApi, withInferenceSettings } from '../../../scripts/src/inference-pages.ts';

const read = (path: string) => readFile(new URL(`../../../${path}`, import.meta.url), 'utf8');

describe('what is written of the inference service; where it differs, run `npm run generate:openapi`', () => {
  test('docs/openapi-inference.json is the document that the service serves', async () => {
    assert.equal(await read('docs/openapi-inference.json'), inferenceDocument());
  });

  test('docs/inference-api.md has the routes and problems of the code, each with an entry in docs/errors.md', async () => {
    const page = await read('docs/inference-api.md');
    assert.equal(page, withInferenceApi(page));
    const linked = [...page.matchAll(/\(errors\.md#([a-z-]+)\)/g)].map(([, code = '']) => code);
    assert.ok(linked.length > 20);
    for (const code of linked) assert.ok((ERROR_CODES as readonly string[]).includes(code), code);
  });

  test("the service's README has the settings of the code", async () => {
    const readme = await read('services/inference/README.md');
    assert.equal(readme, withInferenceSettings(readme));
  });

  test('the document is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate({ ...structuredClone(inferenceApi()) });
    assert.deepEqual({ valid, errors }, { valid: true, errors: undefined });
  });
});
