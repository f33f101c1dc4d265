import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApplication, createLog } from '@atelier/http';
import request from 'supertest';

test('every answer has the headers that keep browsers from misusing it, a problem as well', async () => {
  const app = createApplication(createLog('test', 'silent'), [(_request, _response, next) => next()]);
  const { headers } = await request(app).get('/nothing').expect(404);
  const expected = {
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'origin-agent-cluster': '?1',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-dns-prefetch-control': 'off',
    'x-frame-options': 'DENY',
    'x-permitted-cross-domain-policies': 'none',
    'x-xss-protection': '0',
  };
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, headers[name]])), expected);
  assert.equal(headers['strict-transport-security'], undefined, 'we speak plain HTTP');
  assert.equal(headers['access-control-allow-origin'], undefined);
  assert.equal(headers['x-powered-by'], undefined);
});
