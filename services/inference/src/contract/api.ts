import { ModelReference } from '@atelier/domain';
import { type OpenApiDocument, openApiDocument, type RouteDescription } from '@atelier/http';
import { z } from 'zod';
import { DEVICES } from '../predictor/predictor.ts';
import { SERVICE_VERSION } from '../service-version.ts';
import { DriftResponse } from './drift.ts';
import { EVALUATIONS } from './evaluation-api.ts';
import { LabelsRequest, LabelsResponse } from './labels.ts';
import { ModelsResponse } from './models.ts';
import { OPEN_INFERENCE } from './open-inference-api.ts';
import { PredictQuery, PredictRequest, PredictResponse } from './predict.ts';
import { Provenance } from './provenance.ts';

const binary = z.string().meta({ format: 'binary' });

const PREDICTIONS: readonly RouteDescription[] = [
  {
    method: 'post',
    path: '/predict',
    tag: 'Predictions',
    summary: 'What is in these pictures',
    description: 'Files in a form, one file as the body, files in base64, or pixels in the form of the data set.',
    parameters: {
      query: PredictQuery,
      header: z.object({
        'Request-Timeout': z.string().optional().describe('Seconds after which the answer is of no use any more'),
      }),
    },
    body: PredictRequest.meta({ id: 'PredictRequest' }),
    otherBodies: {
      'multipart/form-data': z.object({ image: z.array(binary) }),
      'image/*': binary,
      'application/octet-stream': binary,
    },
    answers: {
      200: {
        description: 'A prediction for each picture, in their order',
        schema: PredictResponse.meta({ id: 'PredictResponse' }),
        headers: Provenance,
      },
    },
    problems: [
      ...(['malformed-json', 'malformed-multipart', 'malformed-body', 'invalid-request', 'missing-image'] as const),
      ...(['undecodable-image', 'unsupported-media-type', 'payload-too-large', 'image-too-large'] as const),
      ...(['too-many-images', 'not-ready', 'shutting-down', 'overloaded', 'deadline-exceeded'] as const),
      ...(['engine-lost', 'engine-fault', 'model-not-found', 'not-differentiable'] as const),
    ],
  },
  {
    method: 'get',
    path: '/models',
    tag: 'Predictions',
    summary: 'Every version, and what has become of it (scope infer or admin)',
    answers: { 200: { description: 'The versions', schema: ModelsResponse.meta({ id: 'ModelsResponse' }) } },
    problems: [],
  },
];

const name = z.object({ name: z.string() });
const labels = {
  200: { description: 'The labels, and who answers by them', schema: LabelsResponse.meta({ id: 'Labels' }) },
};

/** What a change of the labels meets in the folder. */
const IN_FOLDER = ['invalid-labels', 'repository-not-writable', 'disk-full'] as const;

const VERSIONS: readonly RouteDescription[] = [
  {
    method: 'get',
    path: '/models/:name/labels',
    tag: 'Versions',
    summary: 'Which version is stable, and which the canary (scope admin)',
    parameters: { path: name },
    answers: labels,
    problems: ['model-not-found'],
  },
  {
    method: 'put',
    path: '/models/:name/labels',
    tag: 'Versions',
    summary: 'Label versions (scope admin)',
    parameters: { path: name },
    body: LabelsRequest.meta({ id: 'LabelsRequest' }),
    answers: labels,
    problems: [
      ...(['model-not-found', 'invalid-request', 'malformed-json', 'malformed-body'] as const),
      ...(['unsupported-media-type', 'payload-too-large', 'overloaded'] as const),
      ...IN_FOLDER,
    ],
  },
  {
    method: 'post',
    path: '/models/:name/rollback',
    tag: 'Versions',
    summary: 'What was stable before is stable again (scope admin)',
    parameters: { path: name },
    answers: labels,
    problems: ['model-not-found', ...IN_FOLDER],
  },
];

const DeviceClaim = z.strictObject({
  requested: z.enum(['auto', ...DEVICES]),
  actual: z.enum(DEVICES),
  reason: z.string().nullable().describe('Why they differ, where they do'),
});

const status = <S extends string>(value: S) => z.strictObject({ status: z.literal(value) });

const SERVICE: readonly RouteDescription[] = [
  {
    method: 'get',
    path: '/',
    tag: 'Service',
    summary: 'The routes in short',
    open: true,
    answers: {
      200: { description: 'Their list', schema: z.strictObject({ service: z.string(), routes: z.array(z.string()) }) },
    },
    problems: ['foreign-origin'],
  },
  {
    method: 'get',
    path: '/healthz',
    tag: 'Service',
    summary: 'The process answers',
    open: true,
    answers: { 200: { description: 'It does', schema: status('alive') } },
    problems: [],
  },
  {
    method: 'get',
    path: '/readyz',
    tag: 'Service',
    summary: 'A version can answer now',
    open: true,
    answers: {
      200: {
        description: 'Which, and on what',
        schema: status('ready').extend({ model: ModelReference, device: DeviceClaim }),
      },
    },
    problems: ['not-ready', 'shutting-down'],
  },
  {
    method: 'get',
    path: '/startupz',
    tag: 'Service',
    summary: 'The first choice of a version has been made',
    open: true,
    answers: { 200: { description: 'It has, whatever came of it', schema: status('started') } },
    problems: ['not-ready'],
  },
  {
    method: 'get',
    path: '/metrics',
    tag: 'Service',
    summary: 'Metrics for Prometheus (scope metrics)',
    answers: { 200: { description: 'Text format 0.0.4', contentType: 'text/plain' } },
    problems: [],
  },
  {
    method: 'get',
    path: '/drift',
    tag: 'Service',
    summary: 'How far answers have moved from those to the validation images (scope metrics)',
    description:
      'Of the last answers of each version, their classes and confidences against those that its manifest tells of. Evaluations ' +
      'and copies of requests do not count.',
    answers: { 200: { description: 'The versions', schema: DriftResponse.meta({ id: 'DriftResponse' }) } },
    problems: [],
  },
  {
    method: 'get',
    path: '/openapi.json',
    tag: 'Service',
    summary: 'This document',
    open: true,
    answers: { 200: { description: 'OpenAPI 3.1', contentType: 'application/json' } },
    problems: ['foreign-origin'],
  },
  {
    method: 'get',
    path: '/docs',
    tag: 'Service',
    summary: 'This document as a page',
    open: true,
    answers: { 200: { description: 'A page that tries routes out', contentType: 'text/html' } },
    problems: ['foreign-origin'],
  },
];

/** What the routes take and give; `docs/openapi-inference.json` is written from it. */
export function inferenceApi(): OpenApiDocument {
  return openApiDocument({
    title: 'Atelier inference',
    version: SERVICE_VERSION,
    description:
      'Pictures in, class probabilities out. Failures are problem details (RFC 9457) with the codes of docs/errors.md; below ' +
      '/v2 they have the form of the Open Inference Protocol. With `INFERENCE_API_KEYS` a request brings a key with the ' +
      'scope infer, or the one that its route names.',
    routes: [...PREDICTIONS, ...EVALUATIONS, ...VERSIONS, ...OPEN_INFERENCE, ...SERVICE],
    commonProblems: ['internal', 'url-too-long'],
    guardProblems: ['unauthorized', 'forbidden', 'foreign-origin'],
  });
}
