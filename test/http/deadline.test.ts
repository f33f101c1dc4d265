import assert from 'node:assert/strict';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { PICTURES_PER_DECODER } from '@atelier/inference';
import request from 'supertest';
import { problemOf } from '../support/answers.ts';
import { commandBody, commandFile, type FragileInference, openFragile } from '../support/fragile-compute.ts';
import { assertProblems, post, type Posted } from '../support/posted.ts';
import { connectTo, headOf } from '../support/raw-request.ts';
import { samplesOf } from '../support/metric-samples.ts';
import { until } from '../support/until.ts';

describe('a request that says how long it waits', () => {
  let service: FragileInference;
  before(async () => {
    service = await openFragile({ workers: 1, decoders: 1 });
  });
  after(() => service.close());

  /** Of 0.05 s. */
  const brief = { headers: { 'Request-Timeout': '0.05' } };

  test('is answered when there is time enough, in seconds with a fraction or none', async () => {
    for (const seconds of ['30', '2.5']) {
      const headers = { 'Request-Timeout': seconds };
      assert.equal((await post(service.url, commandBody('well'), { headers })).status, 200);
    }
  });

  test('has no deadline where it gives itself more than a day, however much more', async () => {
    // The second is the least that a timer of Node's takes for 1 ms.
    const headers = ['86400.1', '2147483.648', '999999999999999'].map((seconds) => ({ 'Request-Timeout': seconds }));
    const posted = headers.map((each) => post(service.url, commandBody('slow'), { headers: each }));
    for (const { status } of await Promise.all(posted)) assert.equal(status, 200);
  });

  test('is answered 504 in the queue of the engines, and its images are never computed', async () => {
    await service.asked();
    const busy: Promise<Posted>[] = [];
    for (let batch = 0; batch < 2; batch++) {
      busy.push(post(service.url, commandBody('slow')));
      await until('it is computed', async () => (await service.asked()).batches === 1); // the engine has two at most
    }
    assertProblems([await post(service.url, commandBody('well'), brief)], 504, 'deadline-exceeded');
    for (const { status } of await Promise.all(busy)) assert.equal(status, 200);
    assert.equal((await service.asked()).batches, 0);
    assert.deepEqual(service.engine.waiting(), { pictures: 0, rows: 0, ratio: 0 });
  });

  test('is answered 504 while it is computed, and those who share its batch are answered', async () => {
    const shared = post(service.url, commandBody('slow'));
    const late = post(service.url, commandBody('slow'), brief);
    const first = await Promise.race([late.then(() => 'late'), shared.then(() => 'shared')]);
    assert.equal(first, 'late', 'not only once the batch was done');
    assertProblems([await late], 504, 'deadline-exceeded');
    assert.equal((await shared).status, 200);
  });

  test('counts as a refusal, and not as a client that left', async () => {
    const before = await samplesOf(service.metrics.registry);
    for (const slow of [commandBody('slow'), commandFile('slow')]) {
      assertProblems([await post(service.url, slow, brief)], 504, 'deadline-exceeded');
    }
    const after = await samplesOf(service.metrics.registry);
    const name = 'requests_refused_total{code="deadline-exceeded"}';
    assert.equal((after[name] ?? 0) - (before[name] ?? 0), 1, 'a picture had not come to a model');
    const left = Object.keys(after).filter((each) => /^requests_cancelled_total|"CANCELED"/.test(each));
    for (const each of left) assert.equal(after[each], 0, each);
  });

  test('is answered 504 while its body is on the way', async () => {
    const connection = await connectTo(service.url);
    connection.write(headOf('/predict', 1000, { 'Content-Type': 'application/json', 'Request-Timeout': '0.1' }));
    connection.write('{"pixels": [[');
    const answer = await connection.receives(/\}$/);
    assert.match(answer, /^HTTP\/1\.1 504 /);
    assert.match(answer, /\/problems\/deadline-exceeded/);
    connection.destroy();
  });

  test('leaves its connection to the next request', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (command: 'slow' | 'well', headers: Record<string, string>) => {
      const sent = httpRequest(`${service.url}/predict`, {
        ...{ agent, method: 'POST', headers: { 'Content-Type': 'application/json', ...headers } },
      }).end(JSON.stringify(commandBody(command)));
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      await text(response);
      return { status: response.statusCode, port: sent.socket?.localPort };
    };
    const late = await ask('slow', brief.headers);
    const next = await ask('well', {});
    agent.destroy();
    assert.deepEqual([late.status, next.status], [504, 200]);
    assert.equal(next.port, late.port);
  });

  test('may say only that', async () => {
    for (const header of ['0', '-1', 'soon', '1e3', '1s', '', 'NaN', '1, 2']) {
      const answer = request(service.app).post('/predict').set('Request-Timeout', header).send(commandBody('well'));
      const { errors } = await problemOf(answer, 422, 'invalid-request');
      assert.equal(errors?.[0]?.parameter, 'Request-Timeout', header);
    }
  });

  test('is answered 504 while it is decoded and while it waits for that, and then the decoder is not asked', async () => {
    await service.asked();
    const posted = Array.from({ length: PICTURES_PER_DECODER + 3 }, () =>
      post(service.url, commandFile('never'), brief),
    );
    assertProblems(await Promise.all(posted), 504, 'deadline-exceeded');
    assert.equal((await service.asked()).pictures, PICTURES_PER_DECODER);
    assert.deepEqual(service.engine.waiting(), { pictures: 0, rows: 0, ratio: 0 });
  });
});
