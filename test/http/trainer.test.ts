import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Recipe } from '@atelier/domain';
import { createLog } from '@atelier/http';
import {
  DevicesResponse,
  listMachineDevices,
  readTrainerConfig,
  readWorkerConfig,
  RECIPES,
  startTrainer,
  startWorker,
  trainerApi,
} from '@atelier/trainer';
import { Validator } from '@seriousme/openapi-schema-validator';
import request from 'supertest';
import { bodyOf, problemOf } from '../support/answers.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { beginRun, endEpoch, epochReport, runIn } from '../support/stored-runs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type TestTrainer, testTrainer } from '../support/trainer-service.ts';

const TOKEN = 'correct-horse-battery-staple';

/** What the document says of paths, with a value for each parameter, and the methods of each, in upper case. */
const DOCUMENTED = Object.entries(trainerApi().paths ?? {}).map(([path, operations]) => ({
  path: path.replaceAll(/\{\w+\}/g, 'unknown'),
  methods: Object.keys(operations).map((method) => method.toUpperCase()),
}));
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
type Method = (typeof METHODS)[number];

function send(app: TestTrainer['app'], method: Method, path: string) {
  const verb = method.toLowerCase() as Lowercase<Method>;
  return request(app)[verb](path);
}

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

  test('GET /devices tells each device that can be used, and of the others why not and what brings them', async () => {
    const { machines } = DevicesResponse.parse(await bodyOf(request(service.app).get('/devices')));
    assert.deepEqual(
      machines.map(({ host, devices }) => [
        host,
        devices.map(({ device, usable, reason }) => [device, usable, reason]),
      ]),
      [
        [
          'here',
          [
            ['cuda', false, 'no GPU'],
            ['cpu', true, null],
          ],
        ],
      ],
    );
  });

  test('GET /openapi.json is the document of the routes, and a valid one', async () => {
    const document = await bodyOf(request(service.app).get('/openapi.json'));
    assert.deepEqual(document, JSON.parse(JSON.stringify(trainerApi())));
    const { valid, errors } = await new Validator().validate(document as Record<string, unknown>);
    assert.ok(valid, JSON.stringify(errors));
  });

  test('GET /docs is a page that loads only from here', async () => {
    const page = await request(service.app)
      .get('/docs')
      .expect(200)
      .expect('Content-Type', /^text\/html/);
    assert.match(page.headers['content-security-policy'] ?? '', /default-src 'none'/);
    const loaded = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = '']) => address);
    assert.ok(loaded.length > 0, page.text);
    for (const address of loaded) {
      await request(service.app).get(new URL(address, 'http://localhost/docs').pathname).expect(200);
    }
  });

  test('an unknown route is 404', async () => {
    for (const path of ['/', '/nothing', '/run', '/runs/unknown/nothing', '/runs/unknown/events/1']) {
      await problemOf(request(service.app).get(path), 404, 'route-not-found');
    }
  });

  assert.ok(DOCUMENTED.length > 15, `only ${DOCUMENTED.length} paths are documented`);
  for (const { path, methods } of DOCUMENTED) {
    test(`${path} takes ${methods.join(', ')} and refuses all other methods`, async () => {
      for (const method of METHODS) {
        if (!methods.includes(method)) {
          const { detail } = await problemOf(send(service.app, method, path), 405, 'method-not-allowed');
          assert.match(detail ?? '', new RegExp(`; came ${method}\\.$`));
          continue;
        }
        const answer = await send(service.app, method, path);
        const [status, { type }] = [answer.status, answer.body as { type?: string }];
        assert.ok(status !== 405 && type !== '/problems/route-not-found', `${method} ${path}: ${status} ${type}`);
      }
      const { headers } = await request(service.app).options(path).expect(204);
      const allowed = (headers['allow'] ?? '').split(', ').filter((method) => !['HEAD', 'OPTIONS'].includes(method));
      assert.deepEqual(allowed.sort(), [...methods].sort());
    });
  }
});

describe('a trainer whose runs cannot be written', () => {
  let service: TestTrainer;
  before(async () => {
    service = await testTrainer({ prepare: (runsDirectory) => writeFile(runsDirectory, 'no folder') });
  });
  after(() => service.remove());

  test('is alive and says that it is not ready, and why', async () => {
    assert.deepEqual(await bodyOf(request(service.app).get('/healthz')), { status: 'alive' });
    const { detail, retryAfter } = await problemOf(request(service.app).get('/readyz'), 503, 'not-ready');
    assert.match(detail ?? '', /runs is no folder that can be written \(RUNS_DIR\)/);
    assert.equal(retryAfter, undefined, 'waiting does not help');
  });

  test('takes no runs, and shows what needs no folder', async () => {
    await problemOf(request(service.app).post('/runs').send({ recipe: 'deep-bn' }), 503, 'not-ready');
    await problemOf(request(service.app).get('/runs'), 503, 'not-ready');
    await problemOf(request(service.app).get('/runs/unknown/events'), 503, 'not-ready');
    for (const path of ['/recipes', '/devices', '/openapi.json', '/docs', '/metrics']) {
      await request(service.app).get(path).expect(200);
    }
  });
});

describe("the trainer's configuration", () => {
  test('has a default for everything, and a token only where one is set', () => {
    const { host, port, runsDirectory, modelsDirectory, modelName, concurrency, token, queueUrl } = readTrainerConfig({
      TRAINER_TOKEN: '', // as good as none
    });
    assert.deepEqual(
      { host, port, runsDirectory, modelsDirectory, modelName, concurrency, token, queueUrl },
      {
        host: '127.0.0.1',
        port: 8081,
        runsDirectory: 'runs',
        modelsDirectory: 'models',
        modelName: 'fashion-mlp',
        concurrency: 1,
        token: undefined,
        queueUrl: undefined,
      },
    );
    assert.equal(readTrainerConfig({ TRAINER_TOKEN: TOKEN }).token, TOKEN);
  });

  test('reports every fault together', () => {
    const environment = {
      TRAINER_PORT: 'http',
      TRAINER_CONCURRENCY: '0',
      TRAINER_NICENESS: '20',
      TRAINER_MAX_QUEUED: '-1',
      TRAINER_MAX_BODY_BYTES: '1e6',
      TRAINER_RECOVERY_MS: '1',
      TRAINER_MODEL: '../model',
      QUEUE_PREFIX: 'a:b',
      LOG_LEVEL: 'loud',
    };
    assert.throws(
      () => readTrainerConfig(environment),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'invalid-configuration');
        for (const [name, value] of Object.entries(environment)) {
          assert.ok(error.message.includes(`${name}=${value}: `), `${name} in ${error.message}`);
        }
        assert.match(error.message, /TRAINER_NICENESS=20: expected a whole number from 0 to 19/);
        return true;
      },
    );
  });

  test('tells no secret, not even a wrong one', () => {
    const secrets = { TRAINER_TOKEN: 'too-short', QUEUE_URL: 'http://user:password@host' };
    for (const read of [readTrainerConfig, readWorkerConfig]) {
      assert.throws(
        () => read(secrets),
        ({ message }: Error) => {
          assert.match(message, /QUEUE_URL: expected redis:\/\//);
          assert.doesNotMatch(message, /too-short|password/);
          return true;
        },
      );
    }
    assert.throws(() => readTrainerConfig(secrets), { message: /TRAINER_TOKEN: expected 16 to 4,096 characters/ });
  });

  test('needs a queue for a worker', () => {
    assert.throws(() => readWorkerConfig({}), { code: 'invalid-configuration', message: /QUEUE_URL: / });
  });
});

describe('a trainer that starts', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => void (folder = await temporaryFolder()));
  after(() => folder.remove());
  const configOf = (environment: Record<string, string>) =>
    readTrainerConfig({ RUNS_DIR: join(folder.path, 'runs'), TRAINER_PORT: '0', ...environment });

  test('refuses an address that others reach without a token, and says so', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org']) {
      await assert.rejects(startTrainer(configOf({ TRAINER_HOST: host }), createLog('test', 'silent')), {
        code: 'invalid-configuration',
        message: new RegExp(
          `^TRAINER_HOST=${host} would let anyone .* start trainings; set TRAINER_TOKEN, or listen on`,
        ),
      });
    }
  });

  test('takes any address with one, and asks for it', async (t) => {
    const config = configOf({ TRAINER_HOST: '0.0.0.0', TRAINER_TOKEN: TOKEN });
    const service = await startTrainer(config, createLog('test', 'silent'));
    t.after(() => service.close());
    assert.ok(service.ready);
    const url = service.url.replace('0.0.0.0', '127.0.0.1');
    assert.equal((await fetch(`${url}/runs`)).status, 401);
    const answer = await fetch(`${url}/runs`, { headers: { Authorization: `Bearer ${TOKEN}` } });
    assert.deepEqual(await answer.json(), { runs: [], next: null });
  });

  test('refuses to train without the device that it is told to have, as a worker does, and trains on no other', async (t) => {
    const devices = await listMachineDevices();
    const missing = ['cuda', 'webgpu'].find((name) =>
      devices.every(({ device, usable }) => device !== name || !usable),
    );
    if (missing === undefined) {
      t.skip('this machine has every device');
      return;
    }
    const environment = {
      TRAINER_DEVICE: missing,
      QUEUE_URL: 'redis://127.0.0.1:1',
      RUNS_DIR: join(folder.path, 'runs'),
    };
    const refused = { code: 'device-unavailable', message: new RegExp(`^The device ${missing} cannot be used: `) };
    const log = createLog('test', 'silent');
    await assert.rejects(startTrainer(configOf({ TRAINER_DEVICE: missing }), log), refused);
    await assert.rejects(startWorker(readWorkerConfig(environment), log), refused);
  });

  test('starts where nothing can be written, to say so', async (t) => {
    const file = join(folder.path, 'a-file');
    await writeFile(file, '');
    const { log, lines } = recordedLog();
    const service = await startTrainer(configOf({ RUNS_DIR: join(file, 'runs') }), log);
    t.after(() => service.close());
    assert.ok(!service.ready);
    assert.equal((await fetch(`${service.url}/readyz`)).status, 503);
    assert.ok(lines.some(({ msg, level }) => level === 50 && msg.includes('RUNS_DIR')));
  });
});

describe('a trainer with a token', () => {
  let service: TestTrainer;
  before(async () => void (service = await testTrainer({ config: { token: TOKEN } })));
  after(() => service.remove());

  test('wants it on every route but the probes', async () => {
    for (const { path, methods } of DOCUMENTED) {
      for (const method of methods as Method[]) {
        const { status } = await send(service.app, method, path);
        assert.equal(status === 401, !['/healthz', '/readyz'].includes(path), `${method} ${path}: ${status}`);
        if (status === 401) {
          const answer = send(service.app, method, path).set('Authorization', `Bearer ${TOKEN}`);
          assert.notEqual((await answer).status, 401, `${method} ${path}`);
        }
      }
    }
  });

  test('tells a stranger nothing, not even which routes there are', async () => {
    await problemOf(request(service.app).get('/nothing'), 401, 'unauthorized');
    await problemOf(request(service.app).put('/runs'), 401, 'unauthorized');
  });

  test('goes by any name', async () => {
    const answer = request(service.app)
      .get('/runs')
      .set({ Host: 'trainer.example', Authorization: `Bearer ${TOKEN}` });
    assert.equal((await answer).status, 200);
  });

  test('refuses the pages of others all the same', async () => {
    const answer = request(service.app)
      .post('/runs')
      .set({ Origin: 'https://evil.example', Authorization: `Bearer ${TOKEN}` });
    await problemOf(answer, 403, 'foreign-origin');
  });
});

describe('a trainer without a token', () => {
  let service: TestTrainer;
  before(async () => void (service = await testTrainer()));
  after(() => service.remove());

  test('goes by the names of this machine alone', async () => {
    for (const host of ['localhost:8081', '127.0.0.1', '[::1]:8081']) {
      await request(service.app).get('/runs').set('Host', host).expect(200);
    }
    for (const host of ['evil.example', 'localhost.evil.example', '10.0.0.1:8081', hostname() || 'machine']) {
      await problemOf(request(service.app).get('/runs').set('Host', host), 403, 'foreign-origin');
    }
  });

  test('refuses the pages of others', async () => {
    const post = () => request(service.app).post('/runs').send({ recipe: 'deep-bn' });
    await problemOf(post().set('Origin', 'https://evil.example'), 403, 'foreign-origin');
    await problemOf(post().set('Origin', 'null'), 403, 'foreign-origin');
    await problemOf(post().set('Sec-Fetch-Site', 'cross-site'), 403, 'foreign-origin');
    assert.deepEqual(await service.trainer.store.list(), []);
  });
});

describe('GET /metrics of a trainer', () => {
  let service: TestTrainer;
  before(async () => void (service = await testTrainer()));
  after(() => service.remove());

  /** The values of one metric by their labels, as Prometheus writes them. */
  async function valuesOf(name: string): Promise<Record<string, number>> {
    const { text } = await request(service.app)
      .get('/metrics')
      .expect(200)
      .expect('Content-Type', /^text\/plain/);
    const values = text.split('\n').flatMap((line) => {
      const [, labels = '', value] = new RegExp(`^${name}(\\{.*\\})? (\\S+)$`).exec(line) ?? [];
      return value === undefined ? [] : [[labels, Number(value)] as const];
    });
    return Object.fromEntries(values);
  }

  test('has the length of the queue and the runs by state, at every look as they are', async () => {
    assert.deepEqual(await valuesOf('atelier_trainer_queue_length'), { '': 0 });
    await request(service.app).post('/runs').send({ recipe: 'deep-bn' }).expect(202);
    const { id } = await runIn('running', service.runsDirectory);
    await runIn('failed', service.runsDirectory);
    await runIn('failed', service.runsDirectory);
    assert.deepEqual(await valuesOf('atelier_trainer_queue_length'), { '': 1 });
    const states = { queued: 1, running: 1, interrupted: 0, finished: 0, failed: 2, cancelled: 0 };
    const labelled = Object.entries(states).map(([state, count]) => [`{state="${state}"}`, count]);
    assert.deepEqual(await valuesOf('atelier_trainer_runs'), Object.fromEntries(labelled));
    await request(service.app).post(`/runs/${id}/cancel`).expect(202);
    assert.equal((await valuesOf('atelier_trainer_runs'))['{state="running"}'], 0);
  });

  test('has the speed of a run that trains, its epoch, its losses and its accuracy, until it has ended', async () => {
    const folder = await beginRun(service.runsDirectory);
    try {
      const labels = `{run="${folder.run.id}",recipe="small"}`;
      const step = { epochs: 3, step: 10, stepsPerEpoch: 40, imagesPerSecond: 5000 };
      folder.addStep({ epoch: 1, ...step, loss: 1.5, validationAccuracy: null });
      const measured = async () => {
        const names = [
          'images_per_second',
          'step_seconds',
          'epoch',
          'training_loss',
          'validation_loss',
          'validation_accuracy',
        ];
        const found: Record<string, number | undefined> = {};
        for (const name of names) found[name] = (await valuesOf(`atelier_trainer_run_${name}`))[labels];
        return found;
      };
      const first = { images_per_second: 5000, step_seconds: 20 / 5000, epoch: 1, training_loss: 1.5 };
      const unknown = { validation_loss: undefined, validation_accuracy: undefined };
      assert.deepEqual(await measured(), { ...first, ...unknown });
      await endEpoch(folder, epochReport(1, { validation: { loss: 0.25, accuracy: 0.9 } }));
      folder.addStep({ epoch: 2, ...step, loss: 0.75, validationAccuracy: 0.9 });
      const second = { ...first, epoch: 2, training_loss: 0.75, validation_loss: 0.25, validation_accuracy: 0.9 };
      assert.deepEqual(await measured(), second);
      await folder.end('finished');
      assert.deepEqual(new Set(Object.values(await measured())), new Set([undefined]));
    } finally {
      await folder.release();
    }
  });

  test('counts requests by route and status, and no path of its own for each id', async () => {
    await request(service.app).get('/runs/some-id').expect(404);
    const counts = await valuesOf('http_requests_total');
    assert.ok((counts['{method="GET",route="/runs/:id",status="404"}'] ?? 0) >= 1, JSON.stringify(counts));
    assert.ok(!Object.keys(counts).some((labels) => labels.includes('some-id')));
  });
});
