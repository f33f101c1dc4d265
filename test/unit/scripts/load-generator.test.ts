import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { AnswerParser } from '../../../scripts/bench/serving/load/answer-parser.ts';
import type { LoadPlan, LoadReport } from '../../../scripts/bench/serving/load/load-plan.ts';
import { runLoad } from '../../../scripts/bench/serving/load/run-load.ts';
import { latencies } from '../../../scripts/bench/serving/load/tally.ts';
import { type ScriptedServer, scriptedServer } from '../../support/scripted-server.ts';

const REQUEST = { bytes: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n') };

function answer(status: number, body: string, ...headers: string[]): string {
  return [`HTTP/1.1 ${status} Words`, ...headers, `Content-Length: ${body.length}`, '', body].join('\r\n');
}

describe('the parser of answers', () => {
  test('finds the same answers wherever the chunks end', () => {
    const bytes = Buffer.from(answer(200, 'one\r\n\r\n1', 'X: y') + answer(429, '') + answer(404, 'three'));
    for (let first = 0; first <= bytes.length; first++) {
      for (const second of [first, first + 1, first + 7, bytes.length]) {
        const parser = new AnswerParser();
        const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
        const found = chunks.flatMap((chunk) => parser.push(chunk));
        assert.deepEqual(
          found.map(({ status, body }) => [status, body.toString()]),
          [
            [200, 'one\r\n\r\n1'],
            [429, ''],
            [404, 'three'],
          ],
          `cut at ${first} and ${second}`,
        );
        assert.equal(parser.isWithinAnswer, false);
      }
    }
  });

  test('takes the length from its own header, not from one that ends alike', () => {
    const [found] = new AnswerParser().push(Buffer.from(answer(200, 'abc', 'Inference-Header-Content-Length: 1')));
    assert.equal(found?.body.toString(), 'abc');
  });

  test('refuses an answer without a length', () => {
    assert.throws(() => new AnswerParser().push(Buffer.from('HTTP/1.1 200 OK\r\nX: y\r\n\r\n')), /Content-Length/);
  });
});

describe('latencies', () => {
  test('are nearest ranks, whatever the order', () => {
    const times = Array.from({ length: 200 }, (_, index) => 200 - index);
    assert.deepEqual(latencies(times), { median: 100, percentile90: 180, percentile99: 198, longest: 200 });
  });
});

describe('the load generator', () => {
  let server: ScriptedServer | undefined;
  afterEach(() => server?.close());

  async function load(
    script: (socket: Socket, index: number) => void,
    plan: Partial<LoadPlan> & Pick<LoadPlan, 'end'>,
  ): Promise<LoadReport> {
    server = await scriptedServer(script);
    return runLoad({ port: server.port, requests: [REQUEST], connections: 2, ...plan });
  }

  test('counts answers by status, and refusals that do not say when to come back', async () => {
    const script = (socket: Socket, index: number) => {
      if (index % 4 === 1) socket.write(answer(429, 'later', 'Retry-After: 1'));
      else if (index % 4 === 2) socket.write(answer(429, 'later'));
      else socket.write(answer(200, 'fine'));
    };
    const { byStatus, sent, lost, short, hung } = await load(script, { end: { count: 400 } });
    assert.deepEqual([byStatus[200]?.count, byStatus[429]?.count], [200, 200]);
    assert.deepEqual([byStatus[200]?.withoutRetryAfter, byStatus[429]?.withoutRetryAfter], [0, 100]);
    assert.deepEqual([sent, lost, short, hung], [400, 0, 0, 0]);
  });

  test('a connection that dies without an answer loses one request, within one it cuts one short, and the rest goes on', async () => {
    const script = (socket: Socket, index: number) => {
      if (index === 3) socket.destroy();
      else if (index === 6) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!');
      else if (index === 9) socket.end(answer(200, 'last', 'Connection: close'));
      else socket.write(answer(200, 'fine'));
    };
    const { byStatus, lost, short } = await load(script, { end: { count: 40 } });
    assert.deepEqual([byStatus[200]?.count, lost, short], [38, 1, 1]);
  });

  test('a request that is never answered has hung', async () => {
    const script = (socket: Socket, index: number) => void (index === 5 || socket.write(answer(200, 'fine')));
    const { byStatus, hung } = await load(script, { end: { count: 20 }, hungAfterMs: 50 });
    assert.deepEqual([byStatus[200]?.count, hung], [19, 1]);
  });

  test('goes away from a request when it was told so, and counts it as neither lost nor answered', async () => {
    const script = (socket: Socket, index: number) => void (index % 2 === 1 || socket.write(answer(200, 'fine')));
    const requests = [REQUEST, { ...REQUEST, leaveAfterMs: 5 }];
    const { byStatus, left, lost } = await load(script, { requests, connections: 1, end: { count: 10 } });
    assert.deepEqual([byStatus[200]?.count, left, lost], [5, 5, 0]);
  });

  test('another status than expected, and probabilities of another image, are wrong answers', async () => {
    const predictions = (probability: number) =>
      JSON.stringify({ predictions: [{ probabilities: [{ classIndex: 0, probability }] }] });
    const script = (socket: Socket, index: number) =>
      void socket.write(index === 2 ? answer(500, 'broken') : answer(200, predictions(index === 4 ? 0.2 : 0.1)));
    const expected = {
      statuses: [200],
      answer: { form: 'predictions', probabilities: [0.1], tolerance: 1e-4 },
    } as const;
    const requests = [{ ...REQUEST, expected }];
    const { wrong, firstWrong } = await load(script, { requests, connections: 1, end: { count: 10 } });
    assert.equal(wrong, 2);
    assert.match(firstWrong ?? '', /status 500 instead of 200: broken/);
  });

  test('an open loop counts latency from when a request was due, so that a stall shows in all that it delayed', async () => {
    const stallMs = 200;
    const script = (socket: Socket, index: number) => {
      if (index === 20) void pause(stallMs).then(() => socket.write(answer(200, 'late')));
      else socket.write(answer(200, 'fine'));
    };
    const { byStatus, sent, unsent } = await load(script, {
      connections: 1,
      ratePerSecond: 200,
      end: { count: 80 },
    });
    const { latency, sinceSent } = byStatus[200] ?? assert.fail('no answers');
    assert.deepEqual([sent, unsent], [80, 0]);
    // The 40 that were due in the stall waited for what was left of it: half of them for more than half of it.
    assert.ok(latency.percentile90 > stallMs * 0.5, `${latency.percentile90} ms from the schedule`);
    assert.ok(sinceSent.percentile90 < latency.percentile90, `${sinceSent.percentile90} ms since they were sent`);
  });

  test('an open loop keeps its rate on free connections, and says what it could not send', async () => {
    const silent = await load(() => undefined, { ratePerSecond: 100, end: { seconds: 0.3 }, hungAfterMs: 400 });
    assert.equal(silent.sent + silent.unsent, 30);
    assert.deepEqual([silent.sent, silent.hung], [2, 2]);
  });

  test('what was answered in the warm-up does not count', async () => {
    const script = (socket: Socket) => void socket.write(answer(200, 'fine'));
    const plan = { ratePerSecond: 100, warmUpSeconds: 0.2, end: { seconds: 0.2 } };
    const { byStatus, sent, unsent } = await load(script, plan);
    assert.equal(sent + unsent, 40);
    const counted = (byStatus[200]?.count ?? 0) + unsent;
    assert.ok(counted >= 20 && counted < 40, `${counted}: the second 20, and what was late of the first`);
  });
});
