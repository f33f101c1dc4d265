import type { RouteDescription } from '@atelier/http';
import { EvaluationReport } from '@atelier/evaluation';
import { z } from 'zod';
import {
  DatasetRequest,
  EvaluateQuery,
  EvaluationResource,
  EvaluationsResponse,
  EvaluationSummary,
} from './evaluate.ts';
import { BatchLine, PredictBatchQuery } from './predict-batch.ts';
import { Provenance } from './provenance.ts';

const binary = z.string().meta({ format: 'binary' });

const id = z.object({ id: z.string() });
const Summary = EvaluationSummary.meta({ id: 'EvaluationSummary' });

/** What may be wrong with a request that carries many files. */
const UPLOAD = [
  ...(['malformed-multipart', 'malformed-body', 'invalid-request', 'unsupported-media-type'] as const),
  ...([
    'payload-too-large',
    'disk-full',
    'upload-timeout',
    'missing-image',
    'malformed-archive',
    'archive-too-large',
  ] as const),
  ...(['not-ready', 'shutting-down', 'overloaded', 'deadline-exceeded', 'engine-lost', 'engine-fault'] as const),
  ...(['model-not-found'] as const),
];

export const EVALUATIONS: readonly RouteDescription[] = [
  {
    method: 'post',
    path: '/predict/batch',
    tag: 'Predictions',
    summary: 'What is in each of these many pictures (scope infer)',
    description:
      'Files in the field `image` of a form, which are answered while others come, or a ZIP archive as the body or in the field ' +
      '`archive`. Answers a line of JSON for each, in their order, as soon as it is known; a file that cannot be read is a line ' +
      'with its error. Who does not read the answer is not read from. Where it breaks off, the connection does.',
    parameters: {
      query: PredictBatchQuery,
      header: z.object({
        'Request-Timeout': z.string().optional().describe('Seconds after which the answer is of no use any more'),
      }),
    },
    otherBodies: {
      'multipart/form-data': z.object({ image: z.array(binary).optional(), archive: binary.optional() }),
      'application/zip': binary,
    },
    answers: {
      200: {
        description: 'A line for each picture',
        schema: BatchLine.meta({ id: 'BatchLine' }),
        contentType: 'application/x-ndjson',
        headers: Provenance,
      },
    },
    problems: [...UPLOAD, 'too-many-images'],
  },
  {
    method: 'post',
    path: '/evaluate',
    tag: 'Evaluations',
    summary: 'How good a version is on these labelled images (scope infer)',
    description:
      'A ZIP archive of folders named by class or with `labels.csv`, IDX images and labels, or CSV as Kaggle has it, in a form or as ' +
      'the body, plain or gzip; or a split of the data set that the server has. Answers the report as JSON, or as CSV or HTML ' +
      'where `Accept` asks for that. What cannot be read is listed in it.',
    parameters: {
      query: EvaluateQuery,
      header: z.object({
        Prefer: z.string().optional().describe('respond-async: answer 202 when the upload is there'),
        Accept: z.string().optional().describe('application/json, text/csv or text/html'),
        'Request-Timeout': z.string().optional().describe('Seconds after which the answer is of no use any more'),
      }),
    },
    body: DatasetRequest.meta({ id: 'DatasetRequest' }),
    otherBodies: {
      'multipart/form-data': z.object({
        archive: binary.optional(),
        images: binary.optional(),
        labels: binary.optional(),
        csv: binary.optional(),
      }),
      'application/zip': binary,
      'text/csv': binary,
      'application/octet-stream': binary,
    },
    answers: {
      200: {
        description: 'The report',
        schema: EvaluationReport.meta({ id: 'EvaluationReport' }),
        headers: Provenance,
      },
      202: {
        description: 'It runs; with `Prefer: respond-async`',
        schema: Summary,
        headers: z.object({ Location: z.string(), 'Preference-Applied': z.literal('respond-async') }),
      },
    },
    problems: [
      ...UPLOAD,
      ...(['malformed-json', 'malformed-labels', 'malformed-idx', 'malformed-csv', 'no-examples'] as const),
      ...(['dataset-not-found'] as const),
    ],
  },
  {
    method: 'get',
    path: '/evaluations',
    tag: 'Evaluations',
    summary: 'Those that run without a request, and the last ones that ended (scope infer)',
    answers: { 200: { description: 'Newest first', schema: EvaluationsResponse.meta({ id: 'Evaluations' }) } },
    problems: [],
  },
  {
    method: 'get',
    path: '/evaluations/:id',
    tag: 'Evaluations',
    summary: 'How far an evaluation is, and its report (scope infer)',
    description: 'The report alone as CSV or HTML where `Accept` asks for that.',
    parameters: { path: id },
    answers: {
      200: { description: 'Its state and its report', schema: EvaluationResource.meta({ id: 'Evaluation' }) },
    },
    problems: ['evaluation-not-found', 'evaluation-unfinished'],
  },
  {
    method: 'delete',
    path: '/evaluations/:id',
    tag: 'Evaluations',
    summary: 'Cancel an evaluation, or forget one that has ended (scope infer)',
    parameters: { path: id },
    answers: { 204: { description: 'Nothing of it is in work any more' } },
    problems: ['evaluation-not-found'],
  },
  {
    method: 'get',
    path: '/evaluations/:id/events',
    tag: 'Evaluations',
    summary: 'Server-sent events of an evaluation (scope infer)',
    description:
      '`progress` at once and as it changes, and at the end `done`, `failed` or `cancelled`, each with the summary as its data. Who ' +
      'comes back with the `Last-Event-ID` of the end gets 204.',
    parameters: { path: id, header: z.object({ 'Last-Event-ID': z.string().optional() }) },
    answers: {
      200: { description: 'Until it has ended', contentType: 'text/event-stream' },
      204: { description: 'Everything was told' },
    },
    problems: ['evaluation-not-found', 'too-many-streams'],
  },
];
