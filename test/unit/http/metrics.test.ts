import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { countRequests, createApplication, createLog, listen, metricsRoute, probeRoutes } from '@atelier/http';
import { Router } from 'express';
import { Registry } from 'prom-client';
import request from 'supertest';
import { problemOf } from '../../support/answers.ts';

function application() {
  const registry = new Registry();
  const runs = Router()
    .get('/runs/:id', ({ params }, response) => {
      if (params.id === 'unknown') throw new DomainError('run-not-found', 'There is none.');
      response.json({});
    })
    .get('/silent', () => undefined);
  const routes = [countRequests(registry), probeRoutes({ readiness: () => ({}) }), runs, metricsRoute(registry)];
  return { registry, app: createApplication(createLog('test', 'silent'), routes) };
}

/** Lines of a metric by their labels: `GET /runs/:id 200` of `name{method="GET",route="/runs/:id",status="200"}`. */
async function linesOf(registry: Registry, name: string): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith(`${name}{`));
  return Object.fromEntries(
    lines.map((line) => {
      const labels = [...line.matchAll(/="([^"]*)"/g)].map(([, label]) => label).join(' ');
      return [labels, Number(line.split(' ').at(-1))];
    }),
  );
}

describe('the metrics of a service', () => {
  test('count requests by method, pattern of the route and status', async () => {
    const { app, registry } = application();
    for (const path of ['/runs/a', '/runs/b', '/runs/unknown', '/healthz', '/runs/a/b', '/%2e%2e/etc', '/admin']) {
      await request(app).get(path);
    }
    await request(app).post('/healthz');
    assert.deepEqual(await linesOf(registry, 'http_requests_total'), {
      'GET /runs/:id 200': 2,
      'GET /runs/:id 404': 1,
      'GET /healthz 200': 1,
      'POST /healthz 405': 1,
      'GET none 404': 3,
    });
  });

  test('count the seconds that requests took', async () => {
    const { app, registry } = application();
    for (const id of ['a', 'b', 'unknown']) await request(app).get(`/runs/${id}`);
    assert.deepEqual(await linesOf(registry, 'http_request_duration_seconds_count'), { 'GET /runs/:id': 3 });
    const { 'GET /runs/:id': seconds = 0 } = await linesOf(registry, 'http_request_duration_seconds_sum');
    assert.ok(seconds > 0 && seconds < 10, String(seconds));
  });

  test('count a request whose client left without an answer', { timeout: 10_000 }, async (t) => {
    const { app, registry } = application();
    const { url, close } = await listen(app, '127.0.0.1', 0);
    t.after(close);
    await assert.rejects(fetch(`${url}/silent`, { signal: AbortSignal.timeout(100) }), { name: 'TimeoutError' });
    let lines: Record<string, number> = {};
    while (Object.keys(lines).length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      lines = await linesOf(registry, 'http_requests_total');
    }
    assert.deepEqual(lines, { 'GET /silent none': 1 });
  });

  test("are at /metrics in Prometheus' text format", async () => {
    const { app } = application();
    await request(app).get('/healthz');
    const { text, headers } = await request(app).get('/metrics').expect(200);
    assert.match(headers['content-type'] ?? '', /^text\/plain;(?=.*\bversion=0\.0\.4\b)(?=.*\bcharset=utf-8\b)/);
    assert.match(text, /^# TYPE http_requests_total counter$/m);
    assert.match(text, /^http_requests_total\{method="GET",route="\/healthz",status="200"\} 1$/m);
    await problemOf(request(app).delete('/metrics'), 405, 'method-not-allowed');
  });
});
