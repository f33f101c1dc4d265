import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createApplication, createLog, listen } from '@atelier/http';
import { RUN_STATES, RunFolder, runEventsRoute, RunStore } from '@atelier/trainer';
import request from 'supertest';
import { problemOf } from '../support/answers.ts';
import { type EventStream, followEvents } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { beginRun, createRun, endEpoch, epochReport, runIn, BEGINNING } from '../support/stored-runs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Options {
  pollMs?: number;
  heartbeatMs?: number;
  maximumStreams?: number;
}

describe('the events of a run', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => void (folder = await temporaryFolder()));
  after(() => folder.remove());

  function appOf(options: Options = {}) {
    const closing = new AbortController();
    const route = runEventsRoute({ store: new RunStore(folder.path), closing: closing.signal, pollMs: 5, ...options });
    return { app: createApplication(createLog('test', 'silent'), [route]), closing };
  }

  /** A service of its own for the same folder, as after a restart. */
  async function serve(options: Options = {}) {
    const { app, closing } = appOf(options);
    const { url, close } = await listen(app, '127.0.0.1', 0);
    return {
      app,
      urlOf: (id: string) => `${url}/runs/${id}/events`,
      /** Ends the streams, and resolves when their connections have ended. */
      close: async () => {
        closing.abort();
        await close();
      },
    };
  }

  const step = (epoch: number) => ({
    ...{ epoch, epochs: 3, step: 10, stepsPerEpoch: 40, loss: 1 / epoch, imagesPerSecond: 5000 },
    validationAccuracy: null,
  });
  const idsOf = ({ events }: EventStream) => events.map(({ id }) => id);
  const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const linesOf = async (directory: string) =>
    (await readFile(join(directory, 'events.ndjson'), 'utf8')).trimEnd().split('\n');

  /** A finished run with every kind of event of its life: 9 of them. */
  async function finishedRun(): Promise<{ id: string; directory: string; count: number }> {
    const run = await createRun(folder.path);
    await run.begin(BEGINNING);
    for (const epoch of [1, 2]) {
      run.addStep(step(epoch));
      await endEpoch(run, epochReport(epoch));
    }
    await run.end('finished');
    await run.release();
    return { id: run.run.id, directory: run.directory, count: (await linesOf(run.directory)).length };
  }

  test('come as they happen, numbered from 1, with what they tell; the last one ends the stream', async (t) => {
    const service = await serve();
    t.after(service.close);
    const run = await createRun(folder.path);
    const stream = await followEvents(service.urlOf(run.run.id));
    assert.equal(stream.status, 200);
    assert.match(stream.headers['content-type'] ?? '', /^text\/event-stream/);
    assert.equal(stream.headers['cache-control'], 'no-store');
    await stream.received(1);
    await run.begin(BEGINNING);
    await stream.received(2);
    run.addStep(step(1));
    await stream.received(3);
    await endEpoch(run, epochReport(1));
    await stream.received(5);
    assert.ok(!stream.isOver && (stream.retry ?? 0) > 0);
    await run.end('failed', { code: 'training-diverged', message: 'The loss is NaN.\n\ndata: line two' });
    await run.release();
    await stream.over();
    assert.deepEqual(idsOf(stream), upTo(6));
    const names = ['queued', 'started', 'step', 'epoch', 'checkpoint', 'failed'];
    assert.deepEqual(
      stream.events.map(({ event }) => event),
      names,
    );
    const lines = await linesOf(run.directory);
    for (const [index, { data }] of stream.events.entries()) {
      const line = JSON.parse(lines[index] ?? '') as { at: string; data: object };
      assert.deepEqual(data, { at: line.at, ...line.data });
    }
  });

  test('go on behind Last-Event-ID at every place, whoever serves them; behind the last there is nothing to come for', async () => {
    const { id, count } = await finishedRun();
    assert.equal(count, 9);
    for (let last = 0; last <= count; last++) {
      const service = await serve();
      const stream = await followEvents(service.urlOf(id), last);
      await stream.over();
      assert.equal(stream.status, last === count ? 204 : 200);
      assert.deepEqual(idsOf(stream), upTo(count, last + 1), `after ${last}`);
      await service.close();
    }
  });

  test('are whole for a client that comes back to a service that was restarted after any event', async () => {
    const run = await createRun(folder.path);
    const actions: (() => unknown)[] = [
      () => run.begin(BEGINNING),
      () => run.addStep(step(1)),
      () => endEpoch(run, epochReport(1)),
      () => run.addStep(step(2)),
      () => endEpoch(run, epochReport(2)),
      () => run.end('finished'),
    ];
    const seen: number[] = [];
    for (const action of actions) {
      const service = await serve();
      const stream = await followEvents(service.urlOf(run.run.id), seen.at(-1) ?? 0);
      await stream.received(seen.length === 0 ? 1 : 0);
      await action();
      const { length } = await linesOf(run.directory);
      await stream.received(length - seen.length);
      await service.close();
      await stream.over();
      seen.push(...idsOf(stream));
    }
    await run.release();
    assert.deepEqual(seen, upTo(9));
  });

  test('are not of this run behind a Last-Event-ID that is none of it', async () => {
    const { id, count } = await finishedRun();
    const { app } = appOf();
    for (const bad of ['-1', '1.5', 'x', '', '1 2', '9'.repeat(400), String(count + 1)]) {
      const answer = request(app).get(`/runs/${id}/events`).set('Last-Event-ID', bad);
      const { errors } = await problemOf(answer, 422, 'invalid-request');
      assert.equal(errors?.[0]?.parameter, 'Last-Event-ID');
    }
    await problemOf(request(app).get('/runs/unknown/events'), 404, 'run-not-found');
  });

  test('do not have the line that a crash tore; what is written in its place comes under its number', async (t) => {
    const service = await serve();
    t.after(service.close);
    const { id, directory } = await runIn('running', folder.path);
    const stream = await followEvents(service.urlOf(id));
    await stream.received(2);
    await appendFile(join(directory, 'events.ndjson'), '{"at":"2026-01-01T00:00:00.000Z","event":"step","da');
    await pause(50);
    const run = await RunFolder.open(directory);
    await run.end('cancelled');
    await run.release();
    await stream.over();
    assert.deepEqual(
      stream.events.map(({ id: number, event }) => [number, event]),
      [
        [1, 'queued'],
        [2, 'started'],
        [3, 'cancelled'],
      ],
    );
  });

  for (const state of ['finished', 'failed', 'cancelled'] as const) {
    test(`tell that a run is ${state} where a crash came before that was told`, async (t) => {
      const service = await serve();
      t.after(service.close);
      const run = await beginRun(folder.path);
      await run.update({ state, endedAt: new Date().toISOString() }); // and here the process ends
      await run.release();
      const stream = await followEvents(service.urlOf(run.run.id), 2);
      await stream.over();
      assert.deepEqual(
        stream.events.map(({ id, event }) => [id, event]),
        [[3, state]],
      );
      assert.equal((await followEvents(service.urlOf(run.run.id), 3)).status, 204);
    });
  }

  test('go on while a process is about to tell that the run has ended', async (t) => {
    const service = await serve();
    t.after(service.close);
    const run = await beginRun(folder.path);
    await run.update({ state: 'finished', endedAt: new Date().toISOString() });
    const early = followEvents(service.urlOf(run.run.id), 2);
    const stream = await followEvents(service.urlOf(run.run.id));
    await pause(100);
    assert.ok(!stream.isOver, 'it ended without saying how');
    await run.end('finished');
    await stream.over();
    assert.deepEqual(idsOf(stream), upTo(3));
    const back = await early;
    await back.over();
    assert.deepEqual(idsOf(back), [3]);
    await run.release();
  });

  test('end with the last one, not with what its process does afterwards', async (t) => {
    const service = await serve();
    t.after(service.close);
    const run = await beginRun(folder.path);
    await run.end('finished');
    const stream = await followEvents(service.urlOf(run.run.id)); // the folder is held, for the report
    await stream.over();
    assert.deepEqual(idsOf(stream), upTo(3));
    await run.addPublished({ name: 'small', version: 1 });
    await run.release();
    const later = await followEvents(service.urlOf(run.run.id), 3);
    await later.over();
    assert.deepEqual(
      later.events.map(({ id, event }) => [id, event]),
      [[4, 'published']],
    );
  });

  test('go on under the next numbers when a run that had ended is resumed', async (t) => {
    const service = await serve();
    t.after(service.close);
    const { id, directory } = await runIn('cancelled', folder.path);
    assert.equal((await followEvents(service.urlOf(id), 3)).status, 204);
    const run = await RunFolder.open(directory);
    assert.ok(run.run.job);
    await run.queueAgain(run.run.job);
    const stream = await followEvents(service.urlOf(id), 3);
    await stream.received(1);
    assert.deepEqual(
      stream.events.map(({ id: number, event }) => [number, event]),
      [[4, 'queued']],
    );
    await run.end('cancelled');
    await run.release();
    await stream.over();
    assert.deepEqual(idsOf(stream), [4, 5]);
  });

  test('keep their numbers where a line was damaged by hand', async (t) => {
    const service = await serve();
    t.after(service.close);
    const { id, directory, count } = await finishedRun();
    const lines = await linesOf(directory);
    lines[2] = 'nonsense';
    lines[4] = 'null';
    await writeFile(join(directory, 'events.ndjson'), `${lines.join('\n')}\n`);
    const stream = await followEvents(service.urlOf(id));
    await stream.over();
    assert.deepEqual(
      idsOf(stream),
      upTo(count).filter((number) => number !== 3 && number !== 5),
    );
  });

  test('end for a run that is deleted or damaged meanwhile', async (t) => {
    const service = await serve();
    t.after(service.close);
    const [deleted, damaged] = [await runIn('interrupted', folder.path), await runIn('interrupted', folder.path)];
    const streams = [await followEvents(service.urlOf(deleted.id)), await followEvents(service.urlOf(damaged.id))];
    await Promise.all(streams.map((stream) => stream.received(3)));
    const store = new RunStore(folder.path);
    await store.remove(await store.find(deleted.id));
    await writeFile(join(damaged.directory, 'run.json'), 'nonsense');
    await Promise.all(streams.map((stream) => stream.over()));
  });

  for (const state of RUN_STATES) {
    test(`are all there of a run that is ${state}, and the stream ${['finished', 'failed', 'cancelled'].includes(state) ? 'ends' : 'waits'}`, async (t) => {
      const service = await serve();
      t.after(service.close);
      const { id, directory } = await runIn(state, folder.path);
      const stream = await followEvents(service.urlOf(id));
      await stream.received((await linesOf(directory)).length);
      assert.equal(stream.events.at(-1)?.event, state === 'running' ? 'started' : state);
      if (['finished', 'failed', 'cancelled'].includes(state)) await stream.over();
      else {
        await pause(50);
        assert.ok(!stream.isOver);
      }
    });
  }

  test('are not missed for a sign of life while nothing happens', async (t) => {
    const service = await serve({ heartbeatMs: 20 });
    t.after(service.close);
    const { id } = await runIn('running', folder.path);
    const stream = await followEvents(service.urlOf(id));
    await eventually('three heartbeats', () => (stream.comments.length >= 3 ? true : null));
    assert.deepEqual(idsOf(stream), upTo(2));
  });

  test('have headers that can be asked for alone', async () => {
    const { app } = appOf({ maximumStreams: 1 });
    const { id } = await runIn('running', folder.path);
    for (let time = 0; time < 3; time++) {
      await request(app)
        .head(`/runs/${id}/events`)
        .expect(200)
        .expect('Content-Type', /^text\/event-stream/);
    }
  });

  test('go to so many clients; one more is told when to come again, and one that leaves frees its place', async (t) => {
    const service = await serve({ maximumStreams: 2 });
    t.after(service.close);
    const { id } = await runIn('running', folder.path);
    const [first, second] = [await followEvents(service.urlOf(id)), await followEvents(service.urlOf(id))];
    assert.deepEqual([first.status, second.status], [200, 200]);
    const refused = await followEvents(service.urlOf(id));
    assert.equal(refused.status, 429);
    assert.match(refused.headers['retry-after'] ?? '', /^[1-9]\d*$/);
    const { detail } = await problemOf(request(service.app).get(`/runs/${id}/events`), 429, 'too-many-streams');
    assert.match(detail ?? '', /^2 streams are open/);
    first.leave();
    const third = await eventually('a place', async () => {
      const stream = await followEvents(service.urlOf(id));
      return stream.status === 200 ? stream : null;
    });
    await third.received(2);
    assert.equal((await followEvents(service.urlOf(id))).status, 429);
  });

  test('free the place of a client that leaves before it has had an answer', async (t) => {
    const service = await serve({ maximumStreams: 40 });
    t.after(service.close);
    const { id } = await runIn('running', folder.path);
    const { port } = new URL(service.urlOf(id));
    for (let time = 0; time < 40; time++) {
      const socket: Socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(`GET /runs/${id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n`, () => socket.resetAndDestroy());
    }
    const streams: EventStream[] = [];
    await eventually(
      'forty places',
      async () => {
        const stream = await followEvents(service.urlOf(id));
        if (stream.status === 200) streams.push(stream);
        return streams.length === 40 ? true : null;
      },
      10_000,
    );
  });

  test('end when the service closes, which does not wait for clients that only listen', async () => {
    const service = await serve({ heartbeatMs: 10 });
    const { id } = await runIn('running', folder.path);
    const streams = await Promise.all(Array.from({ length: 5 }, () => followEvents(service.urlOf(id))));
    await Promise.all(streams.map((stream) => stream.received(2)));
    await service.close();
    await Promise.all(streams.map((stream) => stream.over()));
  });

  test('wait on the disk, not in memory, for a client that does not read', async (t) => {
    const { app, closing } = appOf();
    const sockets: Socket[] = [];
    const server = createServer(app).on('connection', (socket) => sockets.push(socket));
    server.listen(0, '127.0.0.1');
    t.after(() => {
      closing.abort();
      server.closeAllConnections();
      server.close();
    });
    await eventually('a port', () => server.address());
    const { port } = server.address() as AddressInfo;
    const run = await beginRun(folder.path);
    const bytes = 32 * 1024 * 1024;
    const line = `${JSON.stringify({ at: new Date().toISOString(), event: 'step', data: { filler: 'x'.repeat(10_000) } })}\n`;
    const count = Math.ceil(bytes / line.length);
    const stream = await followEvents(`http://127.0.0.1:${port}/runs/${run.run.id}/events`);
    stream.pause();
    await appendFile(join(run.directory, 'events.ndjson'), line.repeat(count));
    // As much as it has given away, once that does not change any more: what the system's own buffers take.
    const written = () => sockets.reduce((sum, socket) => sum + socket.bytesWritten, 0);
    let before = -1;
    await eventually('it waits', async () => {
      const now = written();
      if (now === before && now > 0) return true;
      before = now;
      await pause(200);
      return null;
    });
    assert.ok(written() < bytes / 2, `${written()} of ${bytes} bytes were given away`);
    stream.resume();
    await run.end('cancelled');
    await run.release();
    await stream.over();
    assert.deepEqual(idsOf(stream), upTo(count + 3));
  });

  test('free the place of a client that did not read and left', async (t) => {
    const service = await serve({ maximumStreams: 1 });
    t.after(service.close);
    const { id, directory } = await runIn('running', folder.path);
    const filler = `${JSON.stringify({ at: '', event: 'step', data: { filler: 'x'.repeat(60_000) } })}\n`;
    await appendFile(join(directory, 'events.ndjson'), filler.repeat(400));
    const request = get(service.urlOf(id), { agent: false });
    request.on('error', () => undefined);
    request.once('response', (response) => response.on('error', () => undefined).pause());
    await pause(300);
    assert.equal((await followEvents(service.urlOf(id), 2)).status, 429);
    request.destroy();
    await eventually(
      'a place',
      async () => {
        const stream = await followEvents(service.urlOf(id), 402);
        return stream.status === 200 ? stream : null;
      },
      10_000,
    );
  });
});
