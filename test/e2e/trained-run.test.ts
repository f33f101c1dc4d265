import assert from 'node:assert/strict';
import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { listVersions, publishVersion } from '@atelier/model-repository';
import { PublishedRun, RunEvent, RunHistory, RunResource } from '@atelier/trainer';
import request from 'supertest';
import { bodyOf, problemOf } from '../support/answers.ts';
import { eventually } from '../support/eventually.ts';
import { versionContent } from '../support/published-version.ts';
import { smallRun, type TestTrainer, testTrainer } from '../support/trainer-service.ts';

describe('a run that the service trained (real data)', () => {
  let service: TestTrainer;
  let run: RunResource;
  before(async () => {
    service = await testTrainer();
    const { stored } = await service.trainer.submit(smallRun());
    await service.trainer.work(1);
    await eventually('the run has ended and has its report', async () => {
      const { state } = await service.trainer.store.find(stored.id);
      assert.ok(['queued', 'running', 'finished'].includes(state), state);
      const { status } = await request(service.app).get(`/runs/${stored.id}/report`);
      return state === 'finished' && status === 200 ? true : null;
    });
    run = RunResource.parse(await bodyOf(request(service.app).get(`/runs/${stored.id}`)));
  });
  after(() => service.remove());
  const publish = (body?: object) => request(service.app).post(`/runs/${run.id}/publish`).send(body);

  test('says with what, and how far it came', () => {
    const { state, epochs, error, engine, data } = run;
    assert.deepEqual([state, epochs, error], ['finished', 3, null]);
    assert.deepEqual([engine?.name, engine?.kind, engine?.threads, data?.limit], ['onnx', 'cpu', 1, 1000]);
  });

  test('has its history, a report that loads nothing, its model byte by byte, and its log', async () => {
    const { epochs } = RunHistory.parse(await bodyOf(request(service.app).get(`/runs/${run.id}/history`)));
    assert.deepEqual(
      epochs.map(({ epoch }) => epoch),
      [1, 2, 3],
    );
    const file = (name: string) => readFile(join(service.runsDirectory, run.id, name));
    const report = await request(service.app)
      .get(`/runs/${run.id}/report`)
      .expect('Content-Type', 'text/html; charset=utf-8');
    assert.equal(report.text, (await file('report.html')).toString());
    assert.match(report.headers['content-security-policy'] ?? '', /^default-src 'none'; .*frame-ancestors 'none'$/);
    const model = await request(service.app)
      .get(`/runs/${run.id}/model.onnx`)
      .expect('Content-Type', 'application/octet-stream')
      .buffer();
    assert.deepEqual(model.body, await file('model.onnx'));
    assert.match(model.headers['content-disposition'] ?? '', new RegExp(`filename="${run.id}-model\\.onnx"`));
    const log = await request(service.app)
      .get(`/runs/${run.id}/log`)
      .expect(200)
      .expect('Content-Type', /^text\/plain/);
    assert.equal(log.text, (await file('log.txt')).toString());
  });

  test('has its report written anew where its process was killed before it had', async () => {
    await rm(join(service.runsDirectory, run.id, 'report.html'));
    // While its process ends, it may be the one to write it.
    const { text } = await eventually('the report is there', async () => {
      const both = await Promise.all([1, 2].map(() => request(service.app).get(`/runs/${run.id}/report`)));
      return both.find(({ status }) => status === 200) ?? null;
    });
    assert.match(text, /<h2>Run<\/h2>/);
  });

  test('told what happened in its events, in order', async () => {
    const text = await readFile(join(service.runsDirectory, run.id, 'events.ndjson'), 'utf8');
    const events = text
      .trimEnd()
      .split('\n')
      .map((line) => RunEvent.parse(JSON.parse(line)).event);
    const milestones = events.filter((event) => event !== 'step');
    const epoch = ['epoch', 'checkpoint'];
    assert.deepEqual(milestones, ['queued', 'started', ...epoch, ...epoch, ...epoch, 'finished']);
    assert.ok(events.includes('step'));
  });

  test('is published only where that was asked for rightly', async () => {
    const { errors } = await problemOf(publish({ force: 'yes' }), 422, 'invalid-request');
    assert.equal(errors?.[0]?.pointer, '/force');
    await problemOf(publish({ name: 'x' }), 422, 'invalid-request');
    const text = request(service.app).post(`/runs/${run.id}/publish`).set('Content-Type', 'application/json').send('{');
    await problemOf(text, 400, 'malformed-json');
    assert.deepEqual((await listVersions(service.modelsDirectory)).versions, []);
  });

  test('is not published below the version that is served, unless that is forced; then it is, once', async () => {
    const better = versionContent();
    better.manifest.metrics.validation.accuracy = 1;
    const { version } = await publishVersion(service.modelsDirectory, 'fashion-mlp', better);
    for (const body of [undefined, { force: false }]) {
      const problem = await problemOf(publish(body), 409, 'worse-than-published');
      const { published } = problem as { published?: object };
      assert.deepEqual(published, { name: 'fashion-mlp', version, validationAccuracy: 1 });
    }
    assert.equal(RunResource.parse(await bodyOf(request(service.app).get(`/runs/${run.id}`))).published, null);

    const forced = PublishedRun.parse(await bodyOf(publish({ force: true })));
    assert.deepEqual([forced.name, forced.version, forced.isNew], ['fashion-mlp', version + 1, true]);
    const again = PublishedRun.parse(await bodyOf(publish()));
    assert.deepEqual(again, { ...forced, isNew: false });
    const { published } = RunResource.parse(await bodyOf(request(service.app).get(`/runs/${run.id}`)));
    assert.deepEqual(published, { name: 'fashion-mlp', version: forced.version });
    const model = await readFile(join(service.modelsDirectory, 'fashion-mlp', String(forced.version), 'model.onnx'));
    assert.deepEqual(model, await readFile(join(service.runsDirectory, run.id, 'model.onnx')));
  });

  test('is not published where its model is another than it wrote', async () => {
    await appendFile(join(service.runsDirectory, run.id, 'model.onnx'), 'x');
    const { detail } = await problemOf(publish({ force: true }), 409, 'invalid-run');
    assert.match(detail ?? '', /model\.onnx has digest sha256:\w+; the run wrote sha256:/);
  });
});
