import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { TrainerClient } from '../support/trainer-client.ts';
import { until } from '../support/until.ts';
import { findEngine } from './engine/engine.ts';
import { root } from './engine/sources.ts';
import { describeImage } from './image-contract.ts';
import { freePort } from '../../scripts/bench/free-port.ts';
import { type RunningService, startService, stopService } from './running.ts';

const engine = await findEngine();
after(() => engine.close());

const WRITABLE = ['/runs', '/models', '/data'];

describeImage(engine, { service: 'trainer', largest: 350_000_000, writable: WRITABLE });

describe('a container of atelier-trainer', () => {
  let service: RunningService;
  let client: TrainerClient;
  before(async () => {
    service = await startService(engine, 'trainer', {
      writable: ['/runs', '/models'],
      mounted: { '/data/fashion-mnist': join(root, 'data', 'fashion-mnist') },
    });
    client = new TrainerClient(() => service.url);
  });
  after(() => service.container.signal('SIGKILL').catch(() => undefined));

  test('does not listen to everybody without a token', async () => {
    const container = await engine.start('trainer', { writable: ['/runs'] });
    const { code, output } = await container.ended;
    assert.equal(code, 1);
    assert.match(output, /TRAINER_TOKEN/);
  });

  test('trains on the real data set, in a process of its own, and publishes what it has exported and proven', async () => {
    const id = await client.submit({ recipe: 'ann-128', overrides: { epochs: 1 }, limit: 1_000, engine: 'onnx' });
    const run = await client.runIn(id, 'finished', 'failed', 'cancelled');
    assert.equal(run.state, 'finished', service.container.output());
    // It is written when the run has finished.
    const hasReport = async () => (await client.request(`/runs/${id}/report`)).ok;
    await until('the run has a report', hasReport, 60_000).catch((error: unknown) => {
      throw new Error(service.container.output(), { cause: error });
    });
    assert.match(await (await client.request(`/runs/${id}/report`)).text(), /<svg/);
    const published = await client.post(`/runs/${id}/publish`, { force: true });
    assert.ok(published.ok, await published.clone().text());
  });

  test('trains by tfjs as well', async () => {
    const id = await client.submit({ recipe: 'ann-128', overrides: { epochs: 1 }, limit: 300, engine: 'tfjs' });
    const run = await client.runIn(id, 'finished', 'failed', 'cancelled');
    assert.equal(run.state, 'finished', service.container.output());
  });

  test('finds nothing amiss with itself by its own doctor', async () => {
    const environment = { TRAINER_HOST: '127.0.0.1', TRAINER_PORT: String(await freePort()) };
    const command = ['main.mjs', '--doctor'];
    const { code, output } = await (
      await engine.start('trainer', { environment, command, writable: ['/runs', '/models', '/data'] })
    ).ended;
    assert.equal(code, 0, output);
  });

  test('is healthy by its own health check while it serves', async () => {
    assert.deepEqual(await service.checkHealth(), { code: 0, output: '' });
  });

  test('ends with 0 at SIGTERM, with all of its processes, in the middle of a training', async () => {
    const id = await client.submit({ recipe: 'ann-128', overrides: { epochs: 200 }, engine: 'onnx' });
    await client.runIn(id, 'running');
    const exit = await stopService(service);
    assert.equal(exit.code, 0, exit.output);
    assert.equal((await service.checkHealth()).code, 1);
  });
});
