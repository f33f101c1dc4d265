import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { inferenceApi, readConfig } from '@atelier/inference';
import request from 'supertest';
import { problemOf } from '../support/answers.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PROBES = ['/healthz', '/readyz'];
const pixels = { pixels: [[...randomImage(1)]] };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
before(async () => {
  folder = await temporaryFolder();
  await publishTiny(folder.path);
});
after(() => folder.remove());

/** The service as these variables start it. */
function withService(variables: Record<string, string>) {
  let service: InferenceUnderTest;
  before(async () => {
    const { apiKeys, allowedHosts, host } = readConfig(variables);
    service = await openInference(folder.path, { apiKeys, allowedHosts, host });
  });
  after(() => service.close());
  return {
    predict: (headers: Record<string, string> = {}) => request(service.app).post('/predict').set(headers).send(pixels),
    send: (method: 'get' | 'post' | 'put', path: string, token?: string) => {
      const sent = request(service.app)[method](path);
      return token === undefined ? sent : sent.set('Authorization', `Bearer ${token}`);
    },
    get: (path: string, headers: Record<string, string> = {}) => request(service.app).get(path).set(headers),
  };
}

describe('an inference service with keys', () => {
  const key = 'reader-key-0123456789';
  const scraper = 'scraper-key-0123456789';
  const operator = 'operator-key-0123456789';
  const { predict, get, send } = withService({
    INFERENCE_API_KEYS: `reader=${key}:infer,${scraper}:metrics,${operator}:admin`,
  });

  test('answers predictions and its list of models to a key with the scope infer, under any name', async () => {
    await predict({ Authorization: `Bearer ${key}`, Host: 'fashion.example' }).expect(200);
    await get('/models', { Authorization: `Bearer ${key}` }).expect(200);
  });

  test('refuses everybody else, whatever the case of the path', async () => {
    await problemOf(predict(), 401, 'unauthorized');
    await problemOf(get('/MODELS'), 401, 'unauthorized');
    await problemOf(predict({ Authorization: `Bearer ${scraper}` }), 403, 'forbidden');
    await problemOf(get('/metrics', { Authorization: `Bearer ${key}` }), 403, 'forbidden');
  });

  test('tells nobody anything else: every documented route but these wants a key, and each key is one for some', async () => {
    const open = [
      '/',
      '/docs',
      '/openapi.json',
      '/healthz',
      '/readyz',
      '/startupz',
      '/v2/health/live',
      '/v2/health/ready',
    ];
    const unguarded: string[] = [];
    for (const [path, operations] of Object.entries(inferenceApi().paths ?? {})) {
      for (const method of Object.keys(operations) as ('get' | 'post' | 'put')[]) {
        const [url, name] = [path.replace(/\{version\}/, '1').replace(/\{\w+\}/, 'fashion-mlp'), `${method} ${path}`];
        const { status } = await send(method, url);
        if (status !== 401) unguarded.push(name);
        if (status !== 401) continue;
        const admin = /labels|rollback|load$/.test(path);
        const scope = ['/metrics', '/drift'].includes(path) ? scraper : key;
        const { status: other } = await send(method, url, scope === key ? scraper : key);
        assert.equal(other, 403, `${name} with the other key`);
        assert.equal((await send(method, url, scope)).status === 403, admin, name);
      }
    }
    assert.deepEqual(unguarded.sort(), open.map((path) => `get ${path}`).sort());
  });

  test('lists what there is for a key that may change it, which may ask for nothing else', async () => {
    for (const [method, path] of [
      ['get', '/models'],
      ['post', '/v2/repository/index'],
    ] as const) {
      assert.equal((await send(method, path, operator)).status, 200, path);
    }
    await problemOf(predict({ Authorization: `Bearer ${operator}` }), 403, 'forbidden');
    assert.equal((await send('get', '/v2/models/fashion-mlp', operator)).status, 403);
    const { detail } = await problemOf(get('/models', { Authorization: `Bearer ${scraper}` }), 403, 'forbidden');
    assert.match(detail ?? '', /this takes "infer" or "admin"/);
  });

  test('answers its probes to everybody', async () => {
    for (const path of PROBES) await get(path).expect(200);
  });
});

describe('an inference service without keys on the loopback address', () => {
  const { predict, get } = withService({ INFERENCE_ALLOWED_HOSTS: 'Fashion.example' });

  test('answers the programs of its machine, and no page of another site', async () => {
    await predict().expect(200);
    await problemOf(predict({ Origin: 'https://evil.example' }), 403, 'foreign-origin');
    await problemOf(predict({ Host: 'rebound.example' }), 403, 'foreign-origin');
    await problemOf(predict({ Host: '192.168.1.2' }), 403, 'foreign-origin');
  });

  test('goes by the names that it is told to', async () => {
    await predict({ Host: 'fashion.example:443' }).expect(200);
  });

  test('answers its probes under any name', async () => {
    for (const path of PROBES) await get(path, { Host: 'balancer.example' }).expect(200);
  });
});

describe('an inference service without keys on every address, as in a container', () => {
  const { predict } = withService({ INFERENCE_HOST: '0.0.0.0' });

  for (const host of ['10.0.0.7:8080', '[fd00::1]:8080', 'inference', 'inference:8080', 'atelier.prod.svc']) {
    test(`goes by ${host}`, async () => void (await predict({ Host: host }).expect(200)));
  }

  // A page of rebound.example whose name its owner let point here: to the browser, one origin with us.
  for (const host of ['rebound.example', 'inference.', 'internal.example', 'a b', '']) {
    test(`does not go by "${host}"`, async () => {
      const { detail } = await problemOf(predict({ Host: host }), 403, 'foreign-origin');
      assert.match(detail ?? '', /INFERENCE_ALLOWED_HOSTS/);
    });
  }
});
