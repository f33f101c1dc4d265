import { readFileSync } from 'node:fs';
import { type OpenApiDocument, openApiDocument, type RouteDescription } from '@atelier/http';
import { z } from 'zod';
import { DevicesResponse } from '../routes/devices.ts';
import { RecipesResponse } from '../routes/recipes.ts';
import {
  NewRunBody,
  PublishBody,
  PublishedRun,
  RunHistory,
  RunResource,
  RunsPage,
  RunsQuery,
  WholeRecipe,
} from './runs.ts';
import { SEARCHES } from './search-api.ts';

const run = z.object({ id: z.string().meta({ description: 'Of a run' }) });

/** `GET /runs/<id>/...`: a file of a run. */
function file(path: string, summary: string, contentType: string, description: string): RouteDescription {
  return {
    method: 'get',
    path: `/runs/:id/${path}`,
    tag: 'Runs',
    summary,
    parameters: { path: run },
    answers: { 200: { description, contentType } },
    problems: ['run-not-found', 'run-file-not-found'],
  };
}

const RUNS: readonly RouteDescription[] = [
  {
    method: 'post',
    path: '/runs',
    tag: 'Runs',
    summary: 'Ask for a run',
    description:
      'The run is queued and trained in a process of its own. What is wrong with the request is found before anything is ' +
      'queued. With an `Idempotency-Key` the same request asks for the same run, however often it comes.',
    parameters: {
      header: z.object({
        'Idempotency-Key': z
          .string()
          .min(1)
          .max(255)
          .optional()
          .meta({ description: 'Chosen by the client, one for a run' }),
      }),
    },
    body: NewRunBody.meta({ id: 'NewRun' }),
    answers: {
      202: {
        description: 'The run, which waits now',
        schema: RunResource,
        headers: z.object({ Location: z.string().meta({ description: '`/runs/<id>`' }) }),
      },
    },
    problems: [
      ...(['invalid-request', 'invalid-recipe', 'teacher-not-found', 'idempotency-key-reused'] as const),
      ...(['engine-unavailable', 'device-unavailable', 'queue-full', 'queue-unavailable', 'disk-full'] as const),
      ...(['malformed-json', 'unsupported-media-type', 'payload-too-large', 'malformed-body'] as const),
    ],
  },
  {
    method: 'get',
    path: '/runs',
    tag: 'Runs',
    summary: 'List runs, the newest first',
    parameters: { query: RunsQuery },
    answers: { 200: { description: 'A page of runs', schema: RunsPage.meta({ id: 'RunsPage' }) } },
    problems: ['invalid-request'],
  },
  {
    method: 'get',
    path: '/runs/:id',
    tag: 'Runs',
    summary: 'One run',
    parameters: { path: run },
    answers: { 200: { description: 'The run', schema: RunResource } },
    problems: ['run-not-found'],
  },
  {
    method: 'delete',
    path: '/runs/:id',
    tag: 'Runs',
    summary: 'Delete a run with all of its files',
    description: 'One that is queued or running must be cancelled first. A version that was published stays.',
    parameters: { path: run },
    answers: { 204: { description: 'It is gone' } },
    problems: ['run-not-found', 'illegal-transition', 'run-in-use', 'invalid-run'],
  },
  {
    method: 'get',
    path: '/runs/:id/events',
    tag: 'Runs',
    summary: 'Follow what happens in a run',
    description:
      'Server-sent events, from the first on or from the one after `Last-Event-ID`, until the run has ended: `queued`, ' +
      '`started`, `step`, `epoch`, `checkpoint`, `interrupted`, `finished`, `failed`, `cancelled`, `published`. Ids count ' +
      'from 1 and stay what they are, also over a restart of the service. docs/trainer-api.md shows the data of each.',
    parameters: {
      path: run,
      header: z.object({
        'Last-Event-ID': z.string().optional().meta({ description: 'The id of the last event that was seen' }),
      }),
    },
    answers: {
      200: { description: 'The stream', contentType: 'text/event-stream' },
      204: { description: 'The run has ended and its last event was seen: do not come back' },
    },
    problems: ['run-not-found', 'invalid-request', 'too-many-streams'],
  },
  {
    method: 'get',
    path: '/runs/:id/history',
    tag: 'Runs',
    summary: 'What each epoch came to',
    parameters: { path: run },
    answers: { 200: { description: 'Its epochs', schema: RunHistory.meta({ id: 'RunHistory' }) } },
    problems: ['run-not-found', 'invalid-run'],
  },
  file(
    'report',
    "The run's report",
    'text/html',
    'One page that loads nothing; there some seconds after the run is finished',
  ),
  file('model.onnx', 'The exported model', 'application/octet-stream', 'An ONNX file; there once the run is finished'),
  file('log', 'What the training process said', 'text/plain', 'Lines of text, the oldest first'),
  {
    method: 'post',
    path: '/runs/:id/cancel',
    tag: 'Runs',
    summary: 'Cancel a run',
    description: 'At once where it waits; a running one ends after its current steps. It can be resumed.',
    parameters: { path: run },
    answers: { 202: { description: 'The run, `cancelled` or with `cancelRequested`', schema: RunResource } },
    problems: ['run-not-found', 'illegal-transition', 'invalid-run', 'disk-full'],
  },
  {
    method: 'post',
    path: '/runs/:id/resume',
    tag: 'Runs',
    summary: 'Go on with a run that ended early',
    description: 'From its last checkpoint, to the same bits that it would have had without.',
    parameters: { path: run },
    answers: { 202: { description: 'The run, which waits now', schema: RunResource } },
    problems: ['run-not-found', 'illegal-transition', 'run-in-use', 'invalid-run', 'queue-unavailable', 'disk-full'],
  },
  {
    method: 'post',
    path: '/runs/:id/publish',
    tag: 'Runs',
    summary: 'Make a finished run the next version of the model',
    description:
      'Its files must be those that it wrote, its export proved, its golden answers given here, and its validation accuracy ' +
      'not below that of the newest version, unless `force` says so.',
    parameters: { path: run },
    body: PublishBody.optional().meta({ id: 'Publish' }),
    answers: { 200: { description: 'The version', schema: PublishedRun.meta({ id: 'PublishedRun' }) } },
    problems: [
      ...(['run-not-found', 'illegal-transition', 'run-in-use', 'invalid-run', 'invalid-manifest'] as const),
      ...(['parity-failed', 'golden-mismatch', 'worse-than-published', 'invalid-request', 'malformed-json'] as const),
      ...(['unsupported-media-type', 'payload-too-large', 'malformed-body'] as const),
    ],
  },
];

const SERVICE: readonly RouteDescription[] = [
  {
    method: 'get',
    path: '/recipes',
    tag: 'Recipes and devices',
    summary: 'The recipes, whole',
    answers: { 200: { description: 'Every recipe with its defaults filled in', schema: RecipesResponse } },
    problems: [],
  },
  {
    method: 'get',
    path: '/recipes/:name',
    tag: 'Recipes and devices',
    summary: 'One recipe',
    parameters: { path: z.object({ name: z.string() }) },
    answers: { 200: { description: 'The recipe', schema: WholeRecipe } },
    problems: ['unknown-recipe'],
  },
  {
    method: 'get',
    path: '/devices',
    tag: 'Recipes and devices',
    summary: 'Each engine and device, usable or not',
    description: 'They are tried in a process of their own; the first answer may take some seconds.',
    answers: { 200: { description: 'By machine', schema: DevicesResponse.meta({ id: 'Devices' }) } },
    problems: ['queue-unavailable'],
  },
  {
    method: 'get',
    path: '/healthz',
    tag: 'Service',
    summary: 'The process answers',
    open: true,
    answers: { 200: { description: 'It does', schema: z.strictObject({ status: z.literal('alive') }) } },
    problems: [],
  },
  {
    method: 'get',
    path: '/readyz',
    tag: 'Service',
    summary: 'Runs can be made',
    open: true,
    answers: {
      200: {
        description: 'They can',
        schema: z.strictObject({ status: z.literal('ready'), recipes: z.int().min(0) }),
      },
    },
    problems: ['not-ready', 'queue-unavailable'],
  },
  {
    method: 'get',
    path: '/metrics',
    tag: 'Service',
    summary: 'Metrics for Prometheus',
    answers: { 200: { description: 'Text format 0.0.4', contentType: 'text/plain' } },
    problems: [],
  },
  {
    method: 'get',
    path: '/openapi.json',
    tag: 'Service',
    summary: 'This document',
    answers: { 200: { description: 'OpenAPI 3.1', contentType: 'application/json' } },
    problems: [],
  },
  {
    method: 'get',
    path: '/docs',
    tag: 'Service',
    summary: 'This document as a page',
    answers: { 200: { description: 'A page that tries routes out', contentType: 'text/html' } },
    problems: [],
  },
];

/** What the trainer's routes take and give; `docs/openapi-trainer.json` is written from it. */
export function trainerApi(): OpenApiDocument {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return openApiDocument({
    title: 'Atelier trainer',
    version,
    description:
      'Trains recipes on Fashion-MNIST, follows the runs, searches hyperparameters and publishes versions. Failures are ' +
      'problem details (RFC 9457) with the codes of docs/errors.md.',
    routes: [...RUNS, ...SEARCHES, ...SERVICE],
    commonProblems: ['internal', 'foreign-origin', 'url-too-long'],
  });
}
