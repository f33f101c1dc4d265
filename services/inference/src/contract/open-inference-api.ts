import { CLASS_COUNT, IMAGE_HEIGHT, IMAGE_WIDTH } from '@atelier/domain';
import { type FailureForm, PROBLEMS, type RouteDescription } from '@atelier/http';
import { z } from 'zod';
import { VERSION_STATES } from '../models/models.ts';

/** The protocol's own words for a failure, with its statuses: it knows no 422. */
const FAILURES: FailureForm = {
  contentType: 'application/json',
  schema: z
    .object({ error: z.string().describe('What was expected, what came, and where') })
    .meta({ id: 'OpenInferenceError', description: 'A failure, as the Open Inference Protocol has it' }),
  statusOf: (status) => (status === 422 ? 400 : status),
  exampleOf: (code) => ({ error: `${PROBLEMS[code].title}.` }),
};

const Parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const shape = z.array(z.int().min(0));

/** As in the protocol's document; it describes, and `readWireRequest` checks. */
const InferRequest = z
  .object({
    id: z.string().optional().describe('Comes back in the answer'),
    parameters: Parameters.optional().describe('timeout in µs, priority, binary_data_output'),
    inputs: z
      .array(
        z.object({
          name: z.literal('image'),
          datatype: z.enum(['UINT8', 'FP32', 'BYTES']),
          shape: shape.describe(`[count, ${IMAGE_HEIGHT}, ${IMAGE_WIDTH}], 0 to 255; of BYTES [count]: image files`),
          parameters: Parameters.optional().describe('binary_data_size'),
          data: z.array(z.unknown()).optional().describe('Flat or nested; of BYTES in base64'),
        }),
      )
      .length(1),
    outputs: z
      .array(
        z.object({
          name: z.enum(['logits', 'probabilities', 'outlier_score']),
          parameters: Parameters.optional().describe('binary_data, classification'),
        }),
      )
      .optional()
      .describe('Default: all that the version gives; outlier_score is of newer ones'),
  })
  .meta({ id: 'InferRequest' });

const InferResponse = z
  .object({
    model_name: z.string(),
    model_version: z.string(),
    id: z.string().optional(),
    outputs: z.array(
      z.object({
        name: z.string(),
        datatype: z.enum(['FP32', 'BYTES']),
        shape: shape.describe(`[count, ${CLASS_COUNT}]; of outlier_score [count]`),
        parameters: Parameters.optional(),
        data: z.array(z.unknown()).optional(),
      }),
    ),
  })
  .meta({ id: 'InferResponse' });

const TensorMetadata = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) });
const ModelMetadata = z
  .object({
    name: z.string(),
    versions: z.array(z.string()),
    platform: z.string(),
    inputs: z.array(TensorMetadata),
    outputs: z.array(TensorMetadata),
    properties: z.record(z.string(), z.string()).describe('Digest, labels, classes and device'),
  })
  .meta({ id: 'ModelMetadata' });

const Statistics = z.object({ model_stats: z.array(z.looseObject({ name: z.string(), version: z.string() })) });
const Ready = z.object({ ready: z.boolean() });
const binary = z.string().meta({ format: 'binary' });

type Method = RouteDescription['method'];
type Rest = Omit<RouteDescription, 'method' | 'path' | 'tag' | 'failures'>;

function route(method: Method, path: string, rest: Rest): RouteDescription {
  return { method, path: `/v2${path}`, tag: 'Open Inference Protocol', failures: FAILURES, ...rest };
}

const model = z.object({ model: z.string() });
const version = model.extend({ version: z.string() });

/** A route of a model, and of one of its versions. */
function ofModel(method: Method, path: string, { summary, ...rest }: Omit<Rest, 'parameters'>): RouteDescription[] {
  return [
    route(method, `/models/:model${path}`, { summary, ...rest, parameters: { path: model } }),
    route(method, `/models/:model/versions/:version${path}`, {
      summary: `${summary}, of one version`,
      ...rest,
      parameters: { path: version },
    }),
  ];
}

const CHOICE = ['model-not-found', 'not-ready', 'shutting-down'] as const;
const BODY = ['malformed-json', 'malformed-body', 'unsupported-media-type', 'payload-too-large', 'overloaded'] as const;

export const OPEN_INFERENCE: readonly RouteDescription[] = [
  ...ofModel('post', '/infer', {
    summary: 'Infer',
    description:
      'Tensors in JSON, or in binary behind it (`Inference-Header-Content-Length`), compressed or not. docs/open-inference.md ' +
      'has the rest.',
    body: InferRequest,
    otherBodies: { 'application/octet-stream': binary },
    answers: { 200: { description: 'The outputs', schema: InferResponse } },
    problems: [
      ...[...CHOICE, ...BODY],
      ...([
        'invalid-request',
        'undecodable-image',
        'image-too-large',
        'too-many-images',
        'unsupported-feature',
      ] as const),
      ...(['deadline-exceeded', 'engine-lost', 'engine-fault'] as const),
    ],
  }),
  ...ofModel('get', '', {
    summary: 'What a model takes and gives',
    answers: { 200: { description: 'Its metadata', schema: ModelMetadata } },
    problems: CHOICE,
  }),
  ...ofModel('get', '/ready', {
    summary: 'Whether a model is ready',
    answers: {
      200: { description: 'It is', schema: Ready.extend({ name: z.string() }) },
      503: { description: 'It is not', schema: Ready.extend({ name: z.string(), error: z.string() }) },
    },
    problems: ['model-not-found'],
  }),
  ...ofModel('get', '/config', {
    summary: "The configuration of a model in Triton's form",
    answers: { 200: { description: 'The configuration', schema: z.looseObject({ name: z.string() }) } },
    problems: CHOICE,
  }),
  ...ofModel('get', '/stats', {
    summary: 'How often and how long a model has computed',
    answers: { 200: { description: 'Its counts', schema: Statistics } },
    problems: ['model-not-found'],
  }),
  route('get', '', {
    summary: 'The server and its extensions',
    answers: {
      200: {
        description: 'Its metadata',
        schema: z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) }),
      },
    },
    problems: [],
  }),
  route('get', '/models', {
    summary: 'The names of the models',
    answers: { 200: { description: 'Names', schema: z.object({ models: z.array(z.string()) }) } },
    problems: [],
  }),
  route('get', '/models/stats', {
    summary: 'How often and how long each model has computed',
    answers: { 200: { description: 'Counts', schema: Statistics } },
    problems: [],
  }),
  route('get', '/health/live', {
    summary: 'The server lives',
    open: true,
    answers: { 200: { description: 'It does', schema: z.object({ live: z.literal(true) }) } },
    problems: [],
  }),
  route('get', '/health/ready', {
    summary: 'Whether the server is ready',
    open: true,
    answers: {
      200: { description: 'It is', schema: Ready.extend({ live: z.boolean() }) },
      503: { description: 'It is not', schema: Ready.extend({ live: z.boolean(), error: z.string() }) },
    },
    problems: [],
  }),
  route('post', '/repository/index', {
    summary: 'Every version and its state (scope infer or admin)',
    body: z.object({ ready: z.boolean().optional() }).optional(),
    answers: {
      200: {
        description: 'The versions',
        schema: z.array(
          z.object({ name: z.string(), version: z.string(), state: z.enum(VERSION_STATES), reason: z.string() }),
        ),
      },
    },
    problems: [...BODY, 'invalid-request'],
  }),
  route('post', '/repository/models/:model/load', {
    summary: 'Load a model (scope admin)',
    parameters: { path: model },
    body: z.object({ parameters: Parameters.optional() }).optional(),
    answers: { 200: { description: 'It is loaded', schema: z.object({ name: z.string(), load: z.literal(true) }) } },
    problems: [...BODY, 'model-not-found', 'invalid-request', 'unsupported-feature', 'golden-mismatch', 'not-ready'],
  }),
  route('post', '/repository/models/:model/unload', {
    summary: 'Unload a model (scope admin)',
    parameters: { path: model },
    body: z.object({ parameters: Parameters.optional() }).optional(),
    answers: {
      200: { description: 'It is released', schema: z.object({ name: z.string(), unload: z.literal(true) }) },
    },
    problems: [...BODY, 'model-not-found', 'invalid-request'],
  }),
];
