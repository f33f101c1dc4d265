import assert from 'node:assert/strict';
import { appendFile, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ModelsResponse, PredictResponse } from '@atelier/inference';
import { publishVersion } from '@atelier/model-repository';
import request from 'supertest';
import { bodyOf, problemOf } from '../support/answers.ts';
import { BAD_VERSIONS } from '../support/bad-versions.ts';
import { eventually } from '../support/eventually.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { publishTiny, randomImage, versionContent } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

/** One engine, since each version is run with every batch size on each of them. */
const LIGHT = { workers: 1, decoders: 1 };
const pixels = [[...randomImage(1)]];

async function answering({ app }: InferenceUnderTest, query = ''): Promise<string> {
  const { model } = PredictResponse.parse(await bodyOf(request(app).post(`/predict${query}`).send({ pixels })));
  return `${model.name}/${model.version}`;
}

async function listed({ app }: InferenceUnderTest): Promise<ModelsResponse> {
  return ModelsResponse.parse(await bodyOf(request(app).get('/models')));
}

describe('a version that is published while the service runs', () => {
  for (const [way, settings] of [
    ['a watch alone', { watch: true, pollMs: 0 }],
    ['a poll alone', { watch: false, pollMs: 20 }],
  ] as const) {
    test(`is noticed by ${way}, and so is its removal, and the first model of an empty folder`, async (t) => {
      const folder = await temporaryFolder();
      t.after(() => folder.remove());
      const service = await openInference(
        folder.path,
        { ...LIGHT, pollMs: settings.pollMs },
        { watch: settings.watch },
      );
      t.after(() => service.close());
      await problemOf(request(service.app).post('/predict').send({ pixels }), 503, 'not-ready');
      await publishTiny(folder.path, { seed: 1 });
      await until('the first version', () => service.model.served()?.version === 1);
      const second = await publishTiny(folder.path, { seed: 2 });
      await until('the second version', () => service.model.served()?.version === 2);
      assert.equal(await answering(service), 'fashion-mlp/2');
      await rm(second.directory, { recursive: true });
      await until('its removal', () => service.model.served()?.version === 1);
      assert.equal(await answering(service), 'fashion-mlp/1');
    });
  }

  test('by copying one file after the other is noticed by a watch alone, once it is whole', async (t) => {
    const folder = await temporaryFolder();
    const elsewhere = await temporaryFolder();
    t.after(() => Promise.all([folder.remove(), elsewhere.remove()]));
    for (const { path } of [folder, elsewhere]) await publishTiny(path, { seed: 1 });
    const { directory } = await publishTiny(elsewhere.path, { seed: 2 });
    const service = await openInference(folder.path, { ...LIGHT, pollMs: 0 });
    t.after(() => service.close());
    const copy = join(folder.path, 'fashion-mlp', '2');
    const file = (name: string) => join(directory, name);
    await mkdir(copy);
    await until('an empty folder is seen', () => service.model.faults().length === 1);
    await copyFile(file('manifest.json'), join(copy, 'manifest.json'));
    await until('a version without a model is seen', () => service.model.statuses()[1]?.state === 'UNAVAILABLE');
    const model = await readFile(file('model.onnx'));
    await writeFile(join(copy, 'model.onnx'), model.subarray(0, 5000));
    await appendFile(join(copy, 'model.onnx'), model.subarray(5000));
    await until('the whole version', () => service.model.served()?.version === 2);
    assert.deepEqual(service.model.faults(), []);
  });

  test('never answers where it is bad, in whatever way, and the reason is told', async (t) => {
    const folder = await temporaryFolder();
    const elsewhere = await temporaryFolder();
    t.after(() => Promise.all([folder.remove(), elsewhere.remove()]));
    for (const { path } of [folder, elsewhere]) await publishTiny(path);
    for (const { publish } of BAD_VERSIONS) await publish(elsewhere.path);
    const service = await openInference(folder.path, { ...LIGHT, pollMs: 0 });
    t.after(() => service.close());
    for (const [index, { title, code }] of BAD_VERSIONS.entries()) {
      const number = String(index + 2);
      const place = ['fashion-mlp', number] as const;
      await rename(join(elsewhere.path, ...place), join(folder.path, ...place));
      const reason = await eventually(`${title}: a reason`, async () => {
        const entry = (await listed(service)).models.find(({ version }) => String(version) === number);
        return entry?.state === 'UNAVAILABLE' && entry.reason !== 'not loaded' ? entry.reason : null;
      });
      assert.ok(reason.startsWith(`${code}: `), `${title}: ${reason}`);
      assert.ok(!reason.includes(folder.path), reason);
      assert.equal(await answering(service), 'fashion-mlp/1', title);
      await problemOf(request(service.app).post(`/predict?version=${number}`).send({ pixels }), 503, 'not-ready');
    }
  });
});

describe('POST /predict', () => {
  test('takes a model, a version or a label, and says what there is where there is no such thing', async (t) => {
    const folder = await temporaryFolder();
    t.after(() => folder.remove());
    for (const seed of [1, 2, 3]) await publishTiny(folder.path, { seed });
    await publishVersion(folder.path, 'bags', versionContent({ seed: 4 }));
    const service = await openInference(folder.path, LIGHT);
    t.after(() => service.close());
    assert.equal(await answering(service), 'fashion-mlp/3');
    assert.equal(await answering(service, '?version=2'), 'fashion-mlp/2');
    assert.equal(await answering(service, '?label=stable'), 'fashion-mlp/3');
    assert.equal(await answering(service, '?model=bags'), 'bags/1');
    assert.equal(await answering(service, '?model=bags&version=1'), 'bags/1');

    const refused = async (query: string, status: number, code: Parameters<typeof problemOf>[2]) =>
      (await problemOf(request(service.app).post(`/predict?${query}`).send({ pixels }), status, code)).detail ?? '';
    assert.match(await refused('model=hats', 404, 'model-not-found'), /there is: bags, fashion-mlp/);
    assert.match(await refused('version=9', 404, 'model-not-found'), /there is: 1, 2, 3/);
    assert.match(await refused('label=canary', 404, 'model-not-found'), /no canary/);
    assert.match(await refused('version=1', 503, 'not-ready'), /not loaded/);
    for (const query of ['version=2&label=stable', 'version=0', 'version=1.5', 'label=best', 'model=A', 'model=']) {
      await refused(query, 422, 'invalid-request');
    }
  });
});
