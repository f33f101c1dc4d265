import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { EvaluationReport } from '@atelier/evaluation';
import { listen, type Listening } from '@atelier/http';
import { EvaluationResource, EvaluationSummary } from '@atelier/inference';
import request from 'supertest';
import { bodyOf, problemOf } from '../support/answers.ts';
import { followEvents } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { drawnExamples, idxFile } from '../unit/fashion-mnist/drawn-dataset.ts';

const COUNT = 2_000;
const { images, labels } = drawnExamples(COUNT);

describe('an evaluation with Prefer: respond-async', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: InferenceUnderTest;
  let server: Listening;
  let scratch: string;

  before(async () => {
    folder = await temporaryFolder();
    scratch = join(folder.path, 'scratch');
    await mkdir(scratch);
    await publishTiny(join(folder.path, 'models'));
    const change = { scratchDirectory: scratch, evaluationsKept: 3 };
    service = await openInference(join(folder.path, 'models'), change);
    server = await listen(service.app, '127.0.0.1', 0);
  });
  after(async () => {
    await server.close();
    await service.close();
    await folder.remove();
  });

  const get = (path: string) => request(server.url).get(path);

  async function begin(query = ''): Promise<EvaluationSummary & { path: string }> {
    const response = await request(server.url)
      .post(`/evaluate${query}`)
      .set('Prefer', 'wait=1, respond-async')
      .attach('images', idxFile([COUNT, 28, 28], images), 'i')
      .attach('labels', idxFile([COUNT], labels), 'l')
      .expect(202)
      .expect('Preference-Applied', 'respond-async');
    const summary = EvaluationSummary.parse(response.body);
    assert.equal(response.headers['location'], `/evaluations/${summary.id}`);
    return { ...summary, path: `/evaluations/${summary.id}` };
  }

  const resource = async (path: string) => EvaluationResource.parse(await bodyOf(get(path)));
  const ended = (path: string) =>
    eventually('the evaluation has ended', async () => {
      const found = await resource(path);
      return found.state === 'running' ? null : found;
    });

  /** Somebody waits for an answer all the time, so that an evaluation is slow, until the function is called. */
  function makeSlow(): () => Promise<void> {
    let release: () => void = () => undefined;
    const held = service.engine.traffic.during(() => new Promise<void>((resolve) => (release = resolve)));
    return async () => {
      release();
      await held;
    };
  }

  test('tells its progress and its end by events, and gives its report in every form', async () => {
    const finish = makeSlow();
    const { path, progress, state } = await begin();
    assert.deepEqual([progress.total, state], [COUNT, 'running']);
    const stream = await followEvents(`${server.url}${path}/events`);
    await stream.received(3);
    await problemOf(get(path).set('Accept', 'text/html'), 409, 'evaluation-unfinished');
    assert.equal((await resource(path)).report, null);
    await finish();
    await stream.over();
    assert.deepEqual([...new Set(stream.events.map(({ event }) => event))], ['progress', 'done']);
    const counts = stream.events.map(({ data }) => EvaluationSummary.parse(data).progress.examples);
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
    );
    assert.equal(counts.at(-1), COUNT);
    assert.equal(stream.retry, 1_000);

    const { report, state: last, finishedAt, progress: whole } = await resource(path);
    assert.deepEqual([last, whole], ['done', { examples: COUNT, skipped: 0, total: COUNT }]);
    assert.ok(finishedAt !== null && report?.examples === COUNT);
    const same = (await bodyOf(
      request(server.url)
        .post('/evaluate')
        .attach('images', idxFile([COUNT, 28, 28], images), 'i')
        .attach('labels', idxFile([COUNT], labels), 'l'),
    )) as EvaluationReport;
    assert.deepEqual([report.accuracy, report.loss], [same.accuracy, same.loss]);
    await get(path)
      .set('Accept', 'text/csv')
      .expect(200)
      .expect('Content-Type', /text\/csv/);
    await get(path)
      .set('Accept', 'text/html')
      .expect(200)
      .expect('Content-Type', /text\/html/);

    const again = await followEvents(`${server.url}${path}/events`);
    await again.over();
    assert.deepEqual(
      again.events.map(({ event }) => event),
      ['done'],
    );
    const seen = await followEvents(`${server.url}${path}/events`, again.events[0]?.id ?? 0);
    assert.equal(seen.status, 204);
  });

  test('is cancelled by DELETE, which takes its upload from the disk, and then forgotten', async () => {
    const finish = makeSlow();
    const { path, id } = await begin();
    const stream = await followEvents(`${server.url}${path}/events`);
    await request(server.url).delete(path).expect(204);
    await stream.over();
    assert.equal(stream.events.at(-1)?.event, 'cancelled');
    assert.equal((await resource(path)).state, 'cancelled');
    assert.equal(service.evaluation.scratch.bytes, 0);
    assert.deepEqual(await readdir(scratch), []);
    await finish();
    await request(server.url).delete(path).expect(204);
    await problemOf(get(path), 404, 'evaluation-not-found');
    await problemOf(get(`/evaluations/${id}/events`), 404, 'evaluation-not-found');
    await problemOf(request(server.url).delete(path), 404, 'evaluation-not-found');
  });

  test('runs alone: others are told to come back, and requests for predictions are answered meanwhile', async () => {
    const finish = makeSlow();
    const { path } = await begin();
    const second = request(server.url).post('/evaluate').set('Prefer', 'respond-async').type('text/csv').send('x');
    await problemOf(second, 429, 'overloaded');
    const predict = request(server.url).post('/predict');
    await predict.send({ pixels: [[...randomImage(1)]] }).expect(200);
    assert.equal((await resource(path)).state, 'running');
    await finish();
    assert.equal((await ended(path)).state, 'done');
  });

  test('goes on where it was when the engine dies and is replaced', async () => {
    const finish = makeSlow();
    const { path } = await begin();
    await eventually('a part has been measured', async () =>
      (await resource(path)).progress.examples > 0 ? true : null,
    );
    process.kill(service.engine.pid() ?? 0, 'SIGKILL');
    await finish();
    const { state, report } = await ended(path);
    assert.deepEqual([state, report?.examples, report?.unreadable.count], ['done', COUNT, 0]);
    assert.match(service.text(), /The compute process was lost/);
  });

  test('that fails says why as a problem', async () => {
    const response = await request(server.url)
      .post('/evaluate')
      .set('Prefer', 'respond-async')
      .attach('images', idxFile([COUNT, 28, 28], images), 'i')
      .attach('labels', idxFile([COUNT], labels.with(1_500, 77)), 'l');
    assert.equal(response.status, 202);
    const { state, problem, report } = await ended(String(response.headers['location']));
    assert.deepEqual([state, report, problem?.status, problem?.type], ['failed', null, 422, '/problems/malformed-idx']);
    assert.match(problem?.detail ?? '', /label 1500/);
  });

  test('is refused at once where its upload is, and listed with the last ones, newest first', async () => {
    const bad = request(server.url).post('/evaluate').set('Prefer', 'respond-async').type('text/csv').send('x');
    await problemOf(bad, 422, 'malformed-csv');
    const started: string[] = [];
    for (let index = 0; index < 4; index++) {
      const { path, id } = await begin('?limit=10');
      await ended(path);
      started.unshift(id);
    }
    const { evaluations } = (await bodyOf(get('/evaluations'))) as { evaluations: EvaluationSummary[] };
    assert.deepEqual(
      evaluations.map(({ id }) => id),
      started.slice(0, 3),
    );
  });

  test('whose client leaves before its upload is there never begins, and the next one may', async () => {
    const headers = { 'Content-Type': 'application/zip', 'Content-Length': 1_000_000, Prefer: 'respond-async' };
    const slow = httpRequest(`${server.url}/evaluate`, { method: 'POST', headers });
    slow.on('error', () => undefined);
    slow.write(Buffer.alloc(100_000));
    const onDisk = (bytes: number) => () => (service.evaluation.scratch.bytes === bytes ? true : null);
    await eventually('a part of the upload is on the disk', onDisk(100_000));
    slow.destroy();
    await eventually('nothing is', onDisk(0));
    const { evaluations } = (await bodyOf(get('/evaluations'))) as { evaluations: EvaluationSummary[] };
    assert.ok(evaluations.every(({ state }) => state !== 'running'));
    await ended((await begin('?limit=10')).path);
  });

  test('ends when the service does, at once: its events say so, and an upload on its way is refused', async (t) => {
    const other = await openInference(join(folder.path, 'models'), { scratchDirectory: scratch, evaluations: 2 });
    t.after(() => other.close());
    const otherServer = await listen(other.app, '127.0.0.1', 0);
    t.after(() => otherServer.close());
    const { slots, evaluations, scratch: disk } = other.evaluation;
    const release = await slots.turn(new AbortController().signal);
    const model = { name: 'fashion-mlp', version: 1, digest: `sha256:${'0'.repeat(64)}` };
    const endless = evaluations.start(model, 0, (cancelled) =>
      new Promise<never>((_, reject) => {
        const signal = AbortSignal.any([cancelled, slots.ending]);
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }).finally(release),
    );
    const stream = await followEvents(`${otherServer.url}/evaluations/${endless.id}/events`);
    await stream.received(1);
    const headers = { 'Content-Type': 'application/zip', 'Content-Length': '1000000', Prefer: 'respond-async' };
    const upload = httpRequest(`${otherServer.url}/evaluate`, { method: 'POST', headers });
    upload.write(Buffer.alloc(100_000));
    const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
    await eventually('a part of the upload is on the disk', () => (disk.bytes > 0 ? true : null));
    await slots.close(10_000);
    await endless.ended;
    assert.equal(endless.summary().problem?.type, '/problems/shutting-down');
    assert.throws(() => slots.upload(), { code: 'shutting-down' });
    await stream.over();
    assert.deepEqual(
      stream.events.map(({ event }) => event),
      ['progress', 'failed'],
    );
    assert.equal((await answered)[0].statusCode, 503);
    upload.destroy();
    assert.equal(disk.bytes, 0);
  });
});
