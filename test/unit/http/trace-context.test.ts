import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { childContext, createApplication, formatTraceparent, parseTraceparent } from '@atelier/http';
import request from 'supertest';
import { recordedLog } from '../../support/recorded-log.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const traceparent = `00-${traceId}-${spanId}-01`;

describe('a traceparent', () => {
  test('is read as W3C Trace Context has it, later versions by the fields they share', () => {
    assert.deepEqual(parseTraceparent(traceparent), { traceId, spanId, sampled: true });
    assert.deepEqual(parseTraceparent(`00-${traceId}-${spanId}-00`), { traceId, spanId, sampled: false });
    assert.deepEqual(parseTraceparent(`00-${traceId}-${spanId}-03`), { traceId, spanId, sampled: true });
    assert.deepEqual(parseTraceparent(`cc-${traceId}-${spanId}-01-what-comes`), { traceId, spanId, sampled: true });
  });

  const invalid: Record<string, string> = {
    'with version ff': `ff-${traceId}-${spanId}-01`,
    'of version 00 with more fields': `${traceparent}-more`,
    'in capitals': traceparent.toUpperCase(),
    'with a trace id of zeros': `00-${'0'.repeat(32)}-${spanId}-01`,
    'with a span id of zeros': `00-${traceId}-${'0'.repeat(16)}-01`,
    'with a short trace id': `00-${traceId.slice(1)}-${spanId}-01`,
    'without flags': `00-${traceId}-${spanId}`,
    'that is empty': '',
    'that comes twice': `${traceparent}, ${traceparent}`,
    'that never ends': `cc-${traceId}-${spanId}-01-${'x'.repeat(500)}`,
  };
  for (const [what, header] of Object.entries(invalid)) {
    test(`${what} is ignored`, () => assert.equal(parseTraceparent(header), undefined));
  }

  test('of our own continues the trace that came, or begins one that is recorded', () => {
    const child = childContext({ traceId, spanId, sampled: false });
    assert.deepEqual([child.traceId, child.sampled], [traceId, false]);
    assert.notEqual(child.spanId, spanId);
    const roots = Array.from({ length: 1000 }, () => childContext(undefined));
    assert.equal(new Set(roots.map((each) => each.traceId)).size, 1000);
    for (const root of roots) assert.deepEqual(parseTraceparent(formatTraceparent(root)), root);
    assert.ok(roots.every(({ sampled }) => sampled));
  });
});

describe('an application that exports no traces', () => {
  const { log, lines } = recordedLog();
  const app = createApplication(log, [(_request, _response, next) => next()]);

  test('carries the trace of a request into its answer and its log line', async () => {
    const { headers } = await request(app).get('/').set('traceparent', traceparent);
    assert.equal(headers['traceparent'], traceparent);
    assert.deepEqual([lines.at(-1)?.['traceId'], lines.at(-1)?.['spanId']], [traceId, spanId]);
  });

  test('makes none up', async () => {
    for (const offered of [{}, { traceparent: 'nonsense' }]) {
      const { headers } = await request(app).get('/').set(offered);
      assert.equal(headers['traceparent'], undefined);
      assert.equal(lines.at(-1)?.['traceId'], undefined);
    }
  });
});
