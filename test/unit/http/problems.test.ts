import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DomainError, ERROR_CODES } from '@atelier/domain';
import { createApplication, InvalidRequest, parseRequest, PROBLEMS, RetryLater } from '@atelier/http';
import { type RequestHandler, Router } from 'express';
import request from 'supertest';
import { z } from 'zod';
import { type ProblemDetails, problemOf } from '../../support/answers.ts';
import { recordedLog } from '../../support/recorded-log.ts';

/** An application whose one route fails with what `fail` throws. */
function failing(fail: RequestHandler) {
  const { log, lines, text } = recordedLog();
  return { app: createApplication(log, [Router().get('/', fail)]), lines, text };
}

describe('problem details', () => {
  test('answer each code of a request with its own status and the message', async () => {
    for (const code of ERROR_CODES) {
      const problem = PROBLEMS[code];
      if (problem === 'internal' || code === 'internal') continue;
      const { app } = failing(() => {
        throw new DomainError(code, 'what came and what was expected');
      });
      const details = await problemOf(request(app).get('/'), problem.status, code);
      assert.equal(details.detail, 'what came and what was expected');
      assert.equal(details.title, problem.title);
    }
  });

  test('blame a client only with codes that a request can cause', async () => {
    const hidden = ERROR_CODES.filter((code) => PROBLEMS[code] === 'internal');
    assert.ok(hidden.includes('malformed-onnx'));
    for (const code of hidden) {
      const { app, text } = failing(() => {
        throw new DomainError(code, 'about-our-files');
      });
      const details = await problemOf(request(app).get('/'), 500, 'internal');
      assert.ok(!JSON.stringify(details).includes('about-our-files'), code);
      assert.match(text(), /about-our-files/);
    }
  });

  test('call a validation error that is raised inside our own fault, and explain it in the log only', async () => {
    for (const error of [
      z.string().safeParse(7).error,
      new Error('secret inside'),
      Object.assign(new Error('secret inside'), { status: 404 }),
    ]) {
      const { app, lines, text } = failing(() => {
        throw error!;
      });
      const { detail, errors } = await problemOf(request(app).get('/'), 500, 'internal');
      assert.deepEqual([detail, errors], [undefined, undefined]);
      assert.match(text(), /secret inside|expected string/);
      assert.ok(lines.some(({ level }) => level === 50));
    }
  });

  test('also when what is thrown is no error, or a promise was rejected', async () => {
    for (const fail of [
      () => {
        throw 'a string'; // eslint-disable-line @typescript-eslint/only-throw-error
      },
      () => Promise.reject(new Error('later')),
    ]) {
      await problemOf(request(failing(fail).app).get('/'), 500, 'internal');
    }
  });

  test('say when to ask again only where waiting helps', async () => {
    for (const [error, expected] of [
      [new RetryLater('not-ready', 'is being loaded'), '5'],
      [new RetryLater('shutting-down', 'is stopping'), '5'],
      [new DomainError('not-ready', 'nothing to load'), undefined],
    ] as const) {
      const { app } = failing(() => {
        throw error;
      });
      const { retryAfter } = await problemOf(request(app).get('/'), 503, error.code);
      assert.equal(retryAfter, expected, error.message);
    }
  });

  test('name the places of an invalid request, by JSON Pointer', async () => {
    const schema = z.strictObject({ rows: z.array(z.strictObject({ 'a/b': z.number() })) });
    const { app } = failing(() => {
      parseRequest(schema, { rows: [{ 'a/b': 1 }, { 'a/b': 'x' }], more: 1 });
    });
    const { errors } = await problemOf(request(app).get('/'), 422, 'invalid-request');
    assert.deepEqual(
      errors?.map(({ pointer }) => pointer),
      ['/rows/1/a~1b', '/more'],
    );
  });

  test('name no more than twenty places', () => {
    const faults = Array.from({ length: 50 }, (_, index) => ({ pointer: `/${index}`, detail: 'wrong' }));
    assert.equal(new InvalidRequest('wrong', faults).faults.length, 20);
  });

  test('end the connection when the answer has already begun', async () => {
    const { app, text } = failing((_request, response) => {
      response.write('half an answer');
      throw new Error('too late');
    });
    await assert.rejects(Promise.resolve(request(app).get('/')));
    assert.match(text(), /too late/);
  });

  test('have the id of the request as their instance, and it stands in the log', async () => {
    const { app, lines } = failing(() => {
      throw new DomainError('model-not-found', 'none');
    });
    const answer = await request(app).get('/?query=1').set('X-Request-Id', 'order-66');
    assert.equal((answer.body as ProblemDetails).instance, 'order-66');
    const line = lines.find(({ msg }) => msg === 'Answered');
    assert.deepEqual(
      [line?.['requestId'], line?.['method'], line?.['path'], line?.['status'], line?.['code']],
      ['order-66', 'GET', '/', 404, 'model-not-found'],
    );
  });
});
