import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openApiDocument, type RouteDescription } from '@atelier/http';
import { Validator } from '@seriousme/openapi-schema-validator';
import { z } from 'zod';

const Run = z
  .strictObject({ id: z.string().describe('Its folder'), epochs: z.int().min(0).default(0) })
  .meta({ id: 'Run', description: 'A training' });

const start: RouteDescription = {
  method: 'post',
  path: '/runs',
  summary: 'Starts a run',
  description: 'It waits in the queue.',
  tag: 'Runs',
  parameters: { header: z.object({ 'Idempotency-Key': z.string().max(100).optional() }) },
  body: z.strictObject({ recipe: z.string() }).meta({ id: 'NewRun' }),
  answers: { 202: { description: 'Queued', schema: Run, headers: z.object({ Location: z.string() }) } },
  problems: ['unknown-recipe', 'invalid-recipe', 'invalid-request', 'queue-full'],
};
const epochs: RouteDescription = {
  method: 'get',
  path: '/runs/:id/epochs/:epoch',
  summary: 'An epoch',
  parameters: {
    path: z.object({ id: z.string(), epoch: z.coerce.number().int().min(1) }),
    query: z.object({ format: z.enum(['json', 'csv']).default('json').describe('How') }),
  },
  answers: {
    200: { description: 'As it comes', contentType: 'text/event-stream' },
    204: { description: 'Nothing yet' },
  },
  problems: ['run-not-found'],
};
const cancel: RouteDescription = {
  method: 'delete',
  path: '/runs/:id',
  summary: 'Cancels a run',
  parameters: { path: z.object({ id: z.string() }) },
  body: z.strictObject({ reason: z.string() }).optional(),
  answers: { 200: { description: 'The run', schema: Run } },
  problems: ['run-not-found', 'run-finished', 'illegal-transition'],
};
const alive: RouteDescription = {
  method: 'get',
  path: '/healthz',
  summary: 'Whether the process answers',
  answers: { 200: { description: 'It does', schema: z.object({ status: z.literal('alive') }) } },
  problems: [],
  open: true,
};

function documentOf(...routes: RouteDescription[]) {
  const about = { title: 'Trainer', version: '1.2.3', description: 'Trains networks.' };
  return openApiDocument({ ...about, routes, commonProblems: ['foreign-origin', 'internal'] });
}

describe('the OpenAPI document', () => {
  const document = documentOf(start, epochs, cancel, alive);
  const responsesOf = (path: string, method: 'get' | 'post') => document.paths?.[path]?.[method]?.responses ?? {};

  test('is valid OpenAPI 3.1, also as JSON', async () => {
    const plain = JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
    const validator = new Validator();
    const { valid, errors } = await validator.validate(plain);
    assert.ok(valid, JSON.stringify(errors));
    assert.equal(validator.version, '3.1');
    assert.deepEqual(plain, document, 'nothing in it is lost on the way');
  });

  test('names the service, and each route in the form of OpenAPI', () => {
    assert.deepEqual(document.info, { title: 'Trainer', version: '1.2.3', description: 'Trains networks.' });
    assert.deepEqual(Object.keys(document.paths ?? {}), [
      '/runs',
      '/runs/{id}/epochs/{epoch}',
      '/runs/{id}',
      '/healthz',
    ]);
    const { summary, description, tags } = document.paths?.['/runs']?.post ?? {};
    assert.deepEqual([summary, description, tags], ['Starts a run', 'It waits in the queue.', ['Runs']]);
  });

  test('has the parameters of path, query and headers with their ranges, defaults and sentences', () => {
    const [id, epoch, format] = document.paths?.['/runs/{id}/epochs/{epoch}']?.get?.parameters ?? [];
    assert.deepEqual(id, { in: 'path', name: 'id', required: true, schema: { type: 'string' } });
    const number = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
    assert.deepEqual(epoch, { in: 'path', name: 'epoch', required: true, schema: number });
    assert.deepEqual(format, {
      in: 'query',
      name: 'format',
      description: 'How',
      schema: { type: 'string', enum: ['json', 'csv'], default: 'json', description: 'How' },
    });
    assert.deepEqual(document.paths?.['/runs']?.post?.parameters, [
      { in: 'header', name: 'Idempotency-Key', schema: { type: 'string', maxLength: 100 } },
    ]);
  });

  test('refers to schemas that have an id as components', () => {
    const { requestBody } = document.paths?.['/runs']?.post ?? {};
    const NewRun = { schema: { $ref: '#/components/schemas/NewRun' } };
    assert.deepEqual(requestBody, { required: true, content: { 'application/json': NewRun } });
    assert.deepEqual(Object.keys(document.components?.schemas ?? {}).sort(), ['NewRun', 'Problem', 'Run']);
  });

  test('asks for a body only where the schema cannot do without', () => {
    assert.equal((document.paths?.['/runs/{id}']?.delete?.requestBody as { required: boolean }).required, false);
  });

  test('gives an answer the content that it has, and its headers', () => {
    const answers = responsesOf('/runs/{id}/epochs/{epoch}', 'get');
    assert.deepEqual(answers['200'], { description: 'As it comes', content: { 'text/event-stream': { schema: {} } } });
    assert.deepEqual(answers['204'], { description: 'Nothing yet' });
    const { headers, content } = responsesOf('/runs', 'post')['202'] as { headers: object; content: object };
    assert.deepEqual(headers, { Location: { required: true, schema: { type: 'string' } } });
    assert.deepEqual(content, { 'application/json': { schema: { $ref: '#/components/schemas/Run' } } });
  });

  test('groups the problems of a route by status, with an example for each code', () => {
    const answers = responsesOf('/runs', 'post');
    assert.deepEqual(Object.keys(answers), ['202', '401', '403', '404', '422', '429', '500']);
    assert.deepEqual(answers['422'], {
      description:
        '`invalid-recipe`: The recipe does not match its schema.\n\n' +
        '`invalid-request`: The request does not match its schema.',
      content: {
        'application/problem+json': {
          schema: { $ref: '#/components/schemas/Problem' },
          examples: {
            'invalid-recipe': {
              value: { type: '/problems/invalid-recipe', status: 422, title: 'The recipe does not match its schema' },
            },
            'invalid-request': {
              value: { type: '/problems/invalid-request', status: 422, title: 'The request does not match its schema' },
            },
          },
        },
      },
    });
  });

  test('says that routes take a bearer token where the service has one, and open ones none', () => {
    assert.deepEqual(document.components?.securitySchemes, {
      token: { type: 'http', scheme: 'bearer', description: 'RFC 6750' },
    });
    assert.deepEqual(document.security, [{ token: [] }, {}]);
    assert.deepEqual(document.paths?.['/healthz']?.get?.security, []);
    assert.equal(responsesOf('/healthz', 'get')['401'], undefined);
  });
});

describe('routes that contradict themselves are refused:', () => {
  const wrong: Record<string, [RouteDescription[], RegExp]> = {
    'one described twice': [[start, start], /^POST \/runs is described twice\.$/],
    'a parameter that the path lacks': [
      [{ ...start, parameters: { path: z.object({ id: z.string() }) } }],
      /^POST \/runs describes the path parameters id\.$/,
    ],
    'a parameter of the path that is not described': [
      [{ ...start, path: '/runs/:id' }],
      /^POST \/runs\/:id describes the path parameters \(none\)\.$/,
    ],
    'a status that is an answer and a problem': [
      [{ ...start, answers: { 422: { description: 'Hm' } } }],
      /^POST \/runs has 422 as an answer and as a problem\.$/,
    ],
  };
  for (const [what, [routes, message]] of Object.entries(wrong)) {
    test(what, () => {
      assert.throws(() => documentOf(...routes), { name: 'RangeError', message });
    });
  }
});
