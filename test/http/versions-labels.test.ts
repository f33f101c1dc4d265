import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { argmax } from '@atelier/domain';
import {
  type Comparison,
  LabelsResponse,
  ModelsResponse,
  PredictResponse,
  readConfig,
  type TrafficObserver,
} from '@atelier/inference';
import { changeLabels, publishVersion } from '@atelier/model-repository';
import request, { type Test } from 'supertest';
import { bodyOf, problemOf } from '../support/answers.ts';
import { noFileLimit, whileFilesAreAtMost } from '../support/full-disk.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { samplesOf } from '../support/metric-samples.ts';
import { damageModel, publishTiny, randomImage, tinyClassifier, versionContent } from '../support/published-version.ts';
import { whileReadOnly } from '../support/read-only-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

/** One engine, since each version is run with every batch size on each of them. */
const LIGHT = { workers: 1, decoders: 1 };
const pixels = [[...randomImage(1)]];
const ADMIN = 'admin-key-0123456789';
const READER = 'reader-key-0123456789';
const { apiKeys } = readConfig({ INFERENCE_API_KEYS: `${ADMIN}:infer+admin,${READER}:infer` });
const PATH = '/models/fashion-mlp/labels';

type Client = ReturnType<typeof request.agent>;

async function answering(client: Client, requestId = 'a'): Promise<number> {
  const answer = client.post('/predict').set('X-Request-Id', requestId).send({ pixels });
  return PredictResponse.parse(await bodyOf(answer)).model.version;
}

describe('the labels of a model over HTTP', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: InferenceUnderTest;
  let client: Client;
  before(async () => {
    folder = await temporaryFolder();
    for (const seed of [1, 2, 3]) await publishTiny(folder.path, { seed });
    await damageModel(await publishTiny(folder.path, { seed: 4 }));
    service = await openInference(folder.path, { ...LIGHT, pollMs: 0, apiKeys });
    client = request.agent(service.app).set('Authorization', `Bearer ${ADMIN}`);
  });
  after(async () => {
    await service.close();
    await folder.remove();
  });

  const put = async (labels: object) => LabelsResponse.parse(await bodyOf(client.put(PATH).send(labels)));

  test('are set, hold when the answer comes, and lie in the folder', async () => {
    assert.equal(await answering(client), 3);
    const labels = await put({ stable: 1, canary: 2 });
    assert.deepEqual(labels, { stable: 1, canary: 2, previous: 3, serving: { stable: 1, canary: 2 } });
    assert.equal(await answering(client), 1);
    assert.deepEqual(LabelsResponse.parse(await bodyOf(client.get(PATH))), labels);
    const { models } = ModelsResponse.parse(await bodyOf(client.get('/models')));
    assert.deepEqual(
      models.map((model) => model.labels),
      [['stable'], ['canary'], [], []],
    );
    const written = await readFile(join(folder.path, 'fashion-mlp', 'labels.json'), 'utf8');
    assert.deepEqual(JSON.parse(written), { stable: 1, canary: 2, previous: 3 });
  });

  test('roll back with one request, and forward with another', async () => {
    await put({ stable: 2, canary: null });
    await put({ stable: 3, canary: null });
    for (const version of [2, 3]) {
      const { serving } = LabelsResponse.parse(await bodyOf(client.post('/models/fashion-mlp/rollback')));
      assert.equal(serving.stable, version);
      assert.equal(await answering(client), version);
    }
  });

  test('on a version that cannot be served leave the stable one, and say so', async () => {
    await put({ stable: 2, canary: null });
    const { stable, serving } = await put({ stable: 4, canary: null });
    assert.deepEqual([stable, serving.stable], [4, 2]);
    assert.equal(await answering(client), 2);
    const { models } = ModelsResponse.parse(await bodyOf(client.get('/models')));
    assert.match(models.find(({ version }) => version === 4)?.reason ?? '', /^labelled stable, and digest-mismatch: /);
  });

  test('are refused where they name what is not there or are no labels', async () => {
    const refused = async (body: object, status: number, code: Parameters<typeof problemOf>[2]) =>
      (await problemOf(client.put(PATH).send(body), status, code)).detail ?? '';
    assert.match(await refused({ stable: 9, canary: null }, 404, 'model-not-found'), /there is: fashion-mlp\/1/);
    await refused({ stable: 2, canary: 2 }, 409, 'invalid-labels');
    for (const body of [{}, { stable: 2 }, { stable: '2', canary: null }, { stable: 0, canary: null }, []]) {
      await refused(body, 422, 'invalid-request');
    }
    await problemOf(client.get('/models/hats/labels'), 404, 'model-not-found');
    await problemOf(client.put('/models/..%2Fhats/labels').send({}), 404, 'model-not-found');
    await problemOf(client.put(PATH).type('text').send('{}'), 415, 'unsupported-media-type');
    await problemOf(client.delete(PATH), 405, 'method-not-allowed');
  });

  test('in a file that cannot be read are the ones before; the fault is seen, and new ones replace it', async () => {
    await put({ stable: 2, canary: null });
    await writeFile(join(folder.path, 'fashion-mlp', 'labels.json'), '{"stable": 3, "latest": 1}');
    await until('the fault', () => service.model.faults().length > 0);
    assert.equal(await answering(client), 2);
    const { stable, fault } = LabelsResponse.parse(await bodyOf(client.get(PATH)));
    assert.equal(stable, 2);
    assert.match(fault ?? '', /^invalid-labels: fashion-mlp\/labels\.json .*latest/);
    const { faults } = ModelsResponse.parse(await bodyOf(client.get('/models')));
    assert.equal(faults.length, 1);
    const { detail } = await problemOf(client.post('/models/fashion-mlp/rollback'), 409, 'invalid-labels');
    assert.match(detail ?? '', /^fashion-mlp\/labels\.json /, 'without the paths of this machine');
    assert.equal((await put({ stable: 3, canary: null })).fault, undefined);
    assert.equal(await answering(client), 3);
  });
});

test('rollbacks at the same moment are one, and a change that comes meanwhile finds what it has written', async (t) => {
  const folder = await temporaryFolder();
  for (const seed of [1, 2, 3]) await publishTiny(folder.path, { seed });
  await changeLabels(folder.path, 'fashion-mlp', { stable: 2 });
  await changeLabels(folder.path, 'fashion-mlp', { stable: 3 });
  const service = await openInference(folder.path, { ...LIGHT, pollMs: 0, apiKeys, keepVersions: 3 });
  t.after(async () => {
    await service.close();
    await folder.remove();
  });
  const client = request.agent(service.app).set('Authorization', `Bearer ${ADMIN}`);
  const answered = async (sent: Test) => LabelsResponse.parse(await bodyOf(sent));
  const inProgress = async () => (await samplesOf(service.metrics.registry))['http_requests_in_progress'] ?? 0;
  // The first has written, and its answer waits for the service to follow.
  const { refresh } = service.model;
  let follow: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (follow = resolve));
  service.model.refresh = () => gate.then(refresh);
  const rollbacks = [1, 2, 3].map(() => answered(client.post('/models/fashion-mlp/rollback')));
  await until('all of them', async () => (await inProgress()) === 3);
  const change = answered(client.put(PATH).send({ stable: 1, canary: null }));
  await until('the change', async () => (await inProgress()) === 4);
  follow();
  const [back, { stable, previous }] = await Promise.all([Promise.all(rollbacks), change]);
  assert.deepEqual(
    back.map((labels) => [labels.stable, labels.previous, labels.serving.stable]),
    [1, 2, 3].map(() => [2, 3, 2]),
  );
  assert.deepEqual([stable, previous], [1, 2], 'what was stable before it is what the rollback made stable');
  const { stable: after } = await answered(client.post('/models/fashion-mlp/rollback'));
  assert.equal(after, 2);
});

test('labels that the folder does not take are refused with the reason, and stay what they were', async (t) => {
  const folder = await temporaryFolder();
  t.after(() => folder.remove());
  for (const seed of [1, 2]) await publishTiny(folder.path, { seed });
  await changeLabels(folder.path, 'fashion-mlp', { stable: 1 });
  const service = await openInference(folder.path, { ...LIGHT, pollMs: 0, apiKeys });
  t.after(() => service.close());
  const client = request.agent(service.app).set('Authorization', `Bearer ${ADMIN}`);
  const changes = () => [
    client.put(PATH).send({ stable: 2, canary: null }),
    client.post('/models/fashion-mlp/rollback'),
  ];
  const before = await bodyOf(client.get(PATH));
  await whileReadOnly(folder.path, 'fashion-mlp', async () => {
    for (const change of changes()) {
      const { detail } = await problemOf(change, 409, 'repository-not-writable');
      assert.match(detail ?? '', /^fashion-mlp\/labels\.json cannot be written: (EACCES|EPERM)/);
      assert.ok(!detail?.includes(folder.path), 'without the paths of this machine');
    }
  });
  if (!noFileLimit) {
    await whileFilesAreAtMost(10, async () => {
      for (const change of changes()) {
        const { detail } = await problemOf(change, 507, 'disk-full');
        assert.match(detail ?? '', /^There is no room to write fashion-mlp\/labels\.json: /);
      }
    });
  }
  assert.deepEqual(await bodyOf(client.get(PATH)), before);
  assert.equal(await answering(client), 1);
});

test('only a key with the scope admin sees and sets labels, and without keys nobody does', async (t) => {
  const folder = await temporaryFolder();
  t.after(() => folder.remove());
  for (const [change, token, status, code] of [
    [{}, undefined, 403, 'forbidden'],
    [{ apiKeys }, undefined, 401, 'unauthorized'],
    [{ apiKeys }, READER, 403, 'forbidden'],
  ] as const) {
    const service = await openInference(folder.path, { ...LIGHT, ...change });
    const client = request.agent(service.app);
    if (token !== undefined) client.set('Authorization', `Bearer ${token}`);
    await problemOf(client.get(PATH), status, code);
    await problemOf(client.put(PATH).send({ stable: 1, canary: null }), status, code);
    await problemOf(client.post('/models/fashion-mlp/rollback'), status, code);
    await service.close();
  }
});

test('a canary answers its share by request id, and gets copies of the rest, whose differences are counted', async (t) => {
  const folder = await temporaryFolder();
  t.after(() => folder.remove());
  await publishTiny(folder.path, { seed: 1 });
  await publishVersion(folder.path, 'fashion-mlp', versionContent({ seed: 2 }));
  await changeLabels(folder.path, 'fashion-mlp', { stable: 1, canary: 2 });
  const comparisons: Comparison[] = [];
  let dropped = 0;
  const observer: TrafficObserver = {
    compared: (_canary, comparison) => void comparisons.push(comparison),
    shadowDropped: () => void dropped++,
    shadowFailed: (_canary, code) => assert.fail(code),
    swapped: () => undefined,
    refused: () => undefined,
  };
  const traffic = { ...LIGHT, canaryPercent: 30, shadowPercent: 100 };
  const service = await openInference(folder.path, traffic, { traffic: observer });
  t.after(() => service.close());
  const client = request.agent(service.app);
  const versions = new Map<string, number>();
  for (let index = 0; index < 200; index++) versions.set(`order-${index}`, await answering(client, `order-${index}`));
  for (const [id, version] of [...versions].slice(0, 20)) assert.equal(await answering(client, id), version, id);
  const canaries = [...versions.values()].filter((version) => version === 2).length;
  // 60; five standard deviations are 33.
  assert.ok(Math.abs(canaries - 60) < 33, `${canaries} of 200`);
  await until('a comparison or a drop for each other request', () => comparisons.length + dropped >= 200 - canaries);
  const [ours, theirs] = [1, 2].map((seed) => tinyClassifier({ seed }).probabilities(randomImage(1)));
  assert.ok(ours && theirs);
  const largest = Math.max(...ours.map((probability, index) => Math.abs(probability - (theirs[index] ?? NaN))));
  assert.ok(comparisons.length > 0);
  const samples = await samplesOf(service.metrics.registry);
  const ofCanary = (name: string) => samples[`${name}{model="fashion-mlp",version="2"}`];
  const repeated = [...versions].slice(0, 20).filter(([, version]) => version === 2).length;
  for (const name of [
    ...['nv_inference_request_success', 'nv_inference_count', 'nv_inference_exec_count'],
    ...['inference_total_seconds_count', 'inference_queue_seconds_count', 'inference_compute_seconds_count'],
  ]) {
    assert.equal(ofCanary(name), canaries + repeated, `${name} without the ${comparisons.length} copies`);
  }
  for (const { images, disagrees, largestDifference } of comparisons) {
    assert.deepEqual([images, disagrees], [1, argmax(ours) === argmax(theirs) ? 0 : 1]);
    assert.ok(Math.abs(largestDifference - largest) < 1e-5, `${largestDifference}; expected ${largest}`);
  }
});
