import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { listVersions, publishVersion } from '@atelier/model-repository';
import { PublishedRun, RunEvent, RunHistory, RunResource, RunsPage } from '@atelier/trainer';
import request from 'supertest';
import { bodyOf, problemOf } from '../support/answers.ts';
import { eventually } from '../support/eventually.ts';
import { versionContent } from '../support/published-version.ts';
import { epochReport, runIn } from '../support/stored-runs.ts';
import { smallRun, type TestTrainer, testTrainer } from '../support/trainer-service.ts';

const FILES = ['report', 'model.onnx', 'log'] as const;
const FILE_NAMES = { report: 'report.html', 'model.onnx': 'model.onnx', log: 'log.txt' } as const;

describe("a run's files", () => {
  let service: TestTrainer;
  before(async () => void (service = await testTrainer()));
  after(() => service.remove());

  test('are missing before it has written them, which is said of each', async () => {
    const { id } = await runIn('queued', service.runsDirectory);
    for (const file of FILES) {
      const { detail } = await problemOf(request(service.app).get(`/runs/${id}/${file}`), 404, 'run-file-not-found');
      assert.equal(detail, `Run ${id} is queued and has no ${FILE_NAMES[file]} (yet).`);
    }
    assert.deepEqual(await bodyOf(request(service.app).get(`/runs/${id}/history`)), { epochs: [] });
  });

  test('the history is of whole epochs, each as it was trained last', async () => {
    const { id, directory } = await runIn('running', service.runsDirectory);
    const first = epochReport(1, { trainingLoss: 9 });
    const lines = [first, epochReport(2), epochReport(1)].map((report) => `${JSON.stringify(report)}\n`);
    await writeFile(join(directory, 'history.ndjson'), `${lines.join('')}{"epoch":3,"trai`);
    const { epochs } = RunHistory.parse(await bodyOf(request(service.app).get(`/runs/${id}/history`)));
    assert.deepEqual(epochs, [epochReport(1), epochReport(2)]);
  });

  test('a history that was damaged by hand is refused with its line', async () => {
    const { id, directory } = await runIn('running', service.runsDirectory);
    const lines = [JSON.stringify(epochReport(1)), '{"epoch":"two"}', ''];
    await writeFile(join(directory, 'history.ndjson'), lines.join('\n'));
    const { detail } = await problemOf(request(service.app).get(`/runs/${id}/history`), 409, 'invalid-run');
    assert.match(detail ?? '', /history\.ndjson, line 2: epoch: /);
  });

  test('are sent in part where a client asks for a part that there is', async () => {
    const { id, directory } = await runIn('failed', service.runsDirectory);
    await writeFile(join(directory, 'log.txt'), 'one\ntwo\n');
    const log = () => request(service.app).get(`/runs/${id}/log`);
    const { text } = await log().expect(200).expect('Content-Type', 'text/plain; charset=utf-8');
    assert.equal(text, 'one\ntwo\n');
    assert.equal((await log().set('Range', 'bytes=4-').expect(206)).text, 'two\n');
    await log().set('Range', 'bytes=100-').expect(416).expect('Content-Range', 'bytes */8');
    await log().set('If-Match', '"another"').expect(412);
    await log().set('If-Unmodified-Since', 'Mon, 01 Jan 2001 00:00:00 GMT').expect(412);
    const { headers } = await log();
    await log()
      .set('If-None-Match', headers['etag'] ?? '*')
      .expect(304);
    await request(service.app).head(`/runs/${id}/log`).expect(200).expect('Content-Length', '8');
  });
});

describe('a run.json that was edited by hand', () => {
  const damages: [title: string, change: (text: string) => string, words: RegExp][] = [
    ['is not JSON', (text) => text.slice(0, -20), /run\.json: .*JSON/],
    ['is empty', () => '', /run\.json: .*JSON/],
    ['is a list', () => '[]', /run\.json: \(top level\): .*object/],
    ['lacks a field', (text) => text.replace(/"epochs": 0,\n/, ''), /run\.json: epochs: /],
    [
      'has a field of another type',
      (text) => text.replace(/"epochs": 0/, '"epochs": "none"'),
      /run\.json: epochs: .*number/,
    ],
    ['is in no state that there is', (text) => text.replace('"finished"', '"done"'), /run\.json: state: /],
    [
      'has a recipe out of range',
      (text) => text.replace('"batchSize": 20', '"batchSize": 0'),
      /recipe\.batchSize: .*60,000; came 0/,
    ],
    ['has an unknown field', (text) => text.replace('{', '{"color": "red",'), /run\.json: .*color/],
    [
      'is of another run',
      (text) => text.replace(/"id": "[^"]+"/, '"id": "another"'),
      /run\.json: id: expected \S+, found another/,
    ],
  ];

  for (const [title, change, words] of damages) {
    test(`and ${title} makes the run failed, with the field named; all others load, and it can be deleted`, async (t) => {
      const service = await testTrainer();
      t.after(() => service.remove());
      const others = [await runIn('queued', service.runsDirectory), await runIn('finished', service.runsDirectory)];
      const { id, directory } = await runIn('finished', service.runsDirectory);
      const path = join(directory, 'run.json');
      const { runs: before } = RunsPage.parse(await bodyOf(request(service.app).get('/runs'))); // and it is known
      const text = await readFile(path, 'utf8');
      assert.notEqual(change(text), text);
      await writeFile(path, change(text));

      const run = RunResource.parse(await bodyOf(request(service.app).get(`/runs/${id}`)));
      assert.deepEqual([run.state, run.error?.code, run.recipe], ['failed', 'invalid-run', null]);
      assert.match(run.error?.message ?? '', words);
      const { runs } = RunsPage.parse(await bodyOf(request(service.app).get('/runs')));
      assert.equal(runs.length, 3);
      for (const other of others) {
        const find = (all: RunResource[]) => all.find((each) => each.id === other.id);
        assert.deepEqual(find(runs), find(before));
      }
      const { runs: failed } = RunsPage.parse(
        await bodyOf(request(service.app).get('/runs').query({ state: 'failed' })),
      );
      assert.deepEqual(failed, [run]);

      await problemOf(request(service.app).post(`/runs/${id}/publish`), 409, 'illegal-transition');
      await problemOf(request(service.app).post(`/runs/${id}/cancel`), 409, 'illegal-transition');
      const resumed = await problemOf(request(service.app).post(`/runs/${id}/resume`), 409, 'invalid-run');
      assert.match(resumed.detail ?? '', words);
      await service.trainer.recover();
      await request(service.app)
        .get('/metrics')
        .expect(200, /atelier_trainer_runs\{state="failed"\} 1\n/);
      await request(service.app).delete(`/runs/${id}`).expect(204);
      await problemOf(request(service.app).get(`/runs/${id}`), 404, 'run-not-found');
    });
  }

  test('may be a folder', async (t) => {
    const service = await testTrainer();
    t.after(() => service.remove());
    const { id, directory } = await runIn('finished', service.runsDirectory);
    await rm(join(directory, 'run.json'));
    await mkdir(join(directory, 'run.json'));
    const run = RunResource.parse(await bodyOf(request(service.app).get(`/runs/${id}`)));
    assert.match(run.error?.message ?? '', /run\.json cannot be read/);
    await request(service.app).delete(`/runs/${id}`).expect(204);
  });
});

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
