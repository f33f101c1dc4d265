import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { findEngine } from './engine/engine.ts';
import { describeImage } from './image-contract.ts';
import { freePort } from '../../scripts/bench/free-port.ts';
import { type RunningService, startService, statusOf, stopService } from './running.ts';
import { greyPng } from '../support/grey-png.ts';
import { zipFile } from '../support/zip-file.ts';

const engine = await findEngine();
after(() => engine.close());

describeImage(engine, { service: 'inference', largest: 300_000_000, writable: [] });

/** A trouser, roughly: two legs on black. */
const TROUSER = greyPng(
  Uint8Array.from({ length: 784 }, (_, place) => {
    const [x, y] = [place % 28, Math.floor(place / 28)];
    const isLeg = (x >= 8 && x < 13) || (x >= 15 && x < 20);
    return y >= 2 && y < 26 && (isLeg || (y < 8 && x >= 8 && x < 20)) ? 200 : 0;
  }),
  28,
);

describe('a container of atelier-inference', () => {
  let service: RunningService;
  before(async () => {
    service = await startService(engine, 'inference');
  });
  after(() => service.container.signal('SIGKILL').catch(() => undefined));

  test('is ready with the version that is built in', async (context) => {
    context.diagnostic(`${service.startMs.toFixed(0)} ms from the start to the first answer that it is ready`);
    const ready = (await (await fetch(`${service.url}/readyz`)).json()) as {
      model: object;
      device: { actual: string };
    };
    assert.equal(ready.device.actual, 'cpu');
    assert.equal((ready.model as { name: string }).name, 'fashion-mlp');
  });

  test('has no process but of its user, without rights and without a way to any', async () => {
    const processes = await service.container.processes();
    assert.ok(processes.length >= 2, `${processes.length} processes`); // the service and what it computes in
    for (const id of processes) {
      const { Uid, Gid, Groups, CapEff, CapPrm, NoNewPrivs } = statusOf(id);
      assert.equal(Uid, '10001\t10001\t10001\t10001');
      assert.equal(Gid, '10001\t10001\t10001\t10001');
      assert.match(Groups ?? '', /^(10001)?\s*$/);
      assert.deepEqual([CapEff, CapPrm, NoNewPrivs], ['0000000000000000', '0000000000000000', '1']);
    }
    const [first = 0] = processes;
    assert.match(statusOf(first)['NSpid'] ?? '', /\s1$/, 'node is not process 1');
  });

  test('can write to its scratch folder and to nothing else', async () => {
    const places = [
      '/app',
      '/app/services/inference/compiled',
      '/models/fashion-mlp',
      '/etc',
      '/usr/local/bin',
      '/var/tmp',
      '/tmp',
    ];
    const program = `
      const { writeFileSync } = await import('node:fs');
      for (const place of ${JSON.stringify(places)}) {
        try { writeFileSync(place + '/written', ''); console.log(place); } catch {}
      }`;
    const { ended } = await engine.start('inference', { command: ['--input-type=module', '--eval', program] });
    assert.deepEqual(await ended, { code: 0, output: '/tmp\n' });
  });

  test('answers what is on a picture', async () => {
    const body = new FormData();
    body.append('image', new Blob([TROUSER], { type: 'image/png' }), 'trouser.png');
    const response = await fetch(`${service.url}/predict`, { method: 'POST', body });
    assert.equal(response.status, 200, service.container.output());
    const answer = (await response.json()) as { predictions: { label: string; probability: number }[] };
    assert.equal(answer.predictions[0]?.label, 'Trouser');
  });

  test('evaluates an archive of labelled pictures, and gives the report as a page', async () => {
    const archive = zipFile([
      { name: 'Trouser/1.png', data: TROUSER },
      { name: 'Trouser/2.png', data: TROUSER },
      { name: 'Bag/1.png', data: TROUSER },
    ]);
    const evaluate = (type: string) => {
      const body = new FormData();
      body.append('archive', new Blob([new Uint8Array(archive)], { type: 'application/zip' }), 'set.zip');
      return fetch(`${service.url}/evaluate`, { method: 'POST', headers: { Accept: type }, body });
    };
    const response = await evaluate('application/json');
    assert.equal(response.status, 200, service.container.output());
    const report = (await response.json()) as { examples: number; accuracy: number };
    assert.equal(report.examples, 3);
    assert.ok(Math.abs(report.accuracy - 2 / 3) < 1e-4, String(report.accuracy));
    const page = await evaluate('text/html');
    assert.match(await page.text(), /^<!doctype html>[^]*<svg/i);
  });

  test('serves its documentation', async () => {
    assert.equal((await fetch(`${service.url}/docs`)).status, 200);
    const { paths } = (await (await fetch(`${service.url}/openapi.json`)).json()) as { paths: object };
    assert.ok('/predict' in paths);
  });

  test('finds nothing amiss with itself by its own doctor', async () => {
    const environment = { INFERENCE_HOST: '127.0.0.1', INFERENCE_PORT: String(await freePort()) };
    const command = ['main.mjs', '--doctor'];
    const { code, output } = await (await engine.start('inference', { environment, command })).ended;
    assert.equal(code, 0, output);
  });

  test('is healthy by its own health check while it serves', async () => {
    assert.deepEqual(await service.checkHealth(), { code: 0, output: '' });
  });

  test('ends with 0 at SIGTERM, with all of its processes, and is not healthy then', async () => {
    const exit = await stopService(service);
    assert.equal(exit.code, 0, exit.output);
    assert.match(exit.output, /"msg":"Stopped"/);
    assert.equal((await service.checkHealth()).code, 1);
  });
});
