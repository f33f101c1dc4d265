import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { RunHistory, RunResource, RunsPage } from '@atelier/trainer';
import request from 'supertest';
import { bodyOf, problemOf } from '../support/answers.ts';
import { epochReport, runIn } from '../support/stored-runs.ts';
import { type TestTrainer, testTrainer } from '../support/trainer-service.ts';

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
