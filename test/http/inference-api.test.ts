import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLog } from '@atelier/http';
import { buildApp, inferenceApi, InferenceMetrics, type RepositoryModels, readConfig } from '@atelier/inference';
import request from 'supertest';
import { NO_EVALUATION } from '../support/inference-service.ts';

/** As much of Express' router as is looked at. */
interface Layer {
  route?: { path: string; stack: { method?: string }[] };
  handle?: { stack?: Layer[] };
}

/** `POST /predict` for each handler of one method, in the application and in what is mounted in it. */
function routesIn(stack: readonly Layer[]): string[] {
  return stack.flatMap(({ route, handle }) => {
    if (route === undefined) return routesIn(handle?.stack ?? []);
    const methods = route.stack.flatMap(({ method }) => (method === undefined ? [] : [method.toUpperCase()]));
    return methods.map((method) => `${method} ${route.path.replaceAll(/:(\w+)/g, '{$1}')}`);
  });
}

const metrics = new InferenceMetrics();
const app = buildApp({
  model: { statuses: () => [] } as unknown as RepositoryModels,
  images: { decode: () => Promise.reject(new Error('nobody decodes here')), admit: () => undefined },
  evaluation: NO_EVALUATION,
  config: readConfig({}),
  metrics,
  hasStarted: () => true,
  log: createLog('test', 'silent'),
});

describe('the OpenAPI document of the inference service', () => {
  const document = inferenceApi();

  test('describes every route of the application, and no other', () => {
    const described = Object.entries(document.paths ?? {}).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const found = routesIn((app.router as unknown as { stack: Layer[] }).stack).filter(
      (name) => !name.startsWith('GET /docs/'), // the files of the page
    );
    assert.ok(found.length > 20, found.join());
    assert.deepEqual([...new Set(found)].sort(), described.sort());
  });

  test('is served, and shown as a page with a policy of its own', async () => {
    const { body } = (await request(app).get('/openapi.json').expect(200)) as { body: unknown };
    assert.deepEqual(body, JSON.parse(JSON.stringify(document)));
    const { headers } = await request(app).get('/docs').expect(200);
    assert.match(headers['content-security-policy'] ?? '', /script-src 'self'/);
  });
});
