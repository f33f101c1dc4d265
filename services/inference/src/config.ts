import { ModelName } from '@atelier/domain';
import { HostList, LOG_LEVELS, readSettings, wholeNumber } from '@atelier/http';
import { z } from 'zod';
import { DEVICES } from './predictor/predictor.ts';
import { ApiKeys } from './access.ts';
import { MINIMUM_EXAMPLES } from './drift/drift-monitor.ts';

const MEBIBYTE = 1024 * 1024;

const modelNames = z.string().transform((text, context): '*' | string[] => {
  if (text.trim() === '*') return '*';
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !ModelName.safeParse(name).success);
  if (wrong === undefined) return names;
  context.addIssue({ code: 'custom', message: `expected * or names of models with commas between; came "${wrong}"` });
  return z.NEVER;
});

const PERCENT = 'expected a number from 0 to 100, such as 5 or 0.5';

const percent = z
  .string()
  .regex(/^\d{1,3}(\.\d{1,9})?$/, PERCENT)
  .transform(Number)
  .pipe(z.number().max(100, PERCENT));

/** Every setting of the service, read once in `main.ts`. */
export const InferenceConfig = z.object({
  host: z.string().default('127.0.0.1').meta({
    variable: 'INFERENCE_HOST',
    description: 'Address to listen on; 0.0.0.0 is every one of this machine',
  }),
  port: wholeNumber(0, 65_535).default(8080).meta({
    variable: 'INFERENCE_PORT',
    description: 'Port to listen on; 0 is any free one',
  }),
  apiKeys: ApiKeys.default([]).meta({
    variable: 'INFERENCE_API_KEYS',
    description:
      'Who may send requests, separated by commas: `name=key:scope+scope`, a key of at least 16 characters, the scopes ' +
      'infer, metrics, admin. Without keys everybody may the first two, and nobody the last',
    secret: true,
  }),
  allowedHosts: HostList.default([]).meta({
    variable: 'INFERENCE_ALLOWED_HOSTS',
    description:
      'Names by which the service goes, separated by commas, beside its addresses and those of a private network; with ' +
      'keys it goes by any',
  }),
  grpcPort: wholeNumber(0, 65_535).optional().meta({
    variable: 'INFERENCE_GRPC_PORT',
    description: 'Port of the Open Inference Protocol over gRPC; 0 is any free one, unset is off',
  }),
  modelsDirectory: z.string().default('models').meta({
    variable: 'MODELS_DIR',
    description: 'Folder of the published versions',
  }),
  modelName: ModelName.default('fashion-mlp').meta({
    variable: 'INFERENCE_MODEL',
    description: 'Model that answers where a request names none',
  }),
  models: modelNames.default('*').meta({
    variable: 'INFERENCE_MODELS',
    description: 'Models that are served, with commas between; the one above always is, and * is all in the folder',
  }),
  keepVersions: wholeNumber(1, 100).default(2).meta({
    variable: 'INFERENCE_KEEP_VERSIONS',
    description: 'Newest usable versions of each model that are held in memory, beside those with a label',
  }),
  pollMs: wholeNumber(0, 86_400_000).default(2000).meta({
    variable: 'INFERENCE_POLL_MS',
    description: 'Time between two looks into the folder, in ms, where the system tells of no change; 0: none',
  }),
  canaryPercent: percent.default(0).meta({
    variable: 'INFERENCE_CANARY_PERCENT',
    description: 'Share of the requests, by their ids, that the version labelled canary answers, 0 to 100',
  }),
  shadowPercent: percent.default(0).meta({
    variable: 'INFERENCE_SHADOW_PERCENT',
    description: 'Share of the requests of which the canary gets a copy, to compare its answers, 0 to 100',
  }),
  maximumBodyBytes: wholeNumber(1024, 1024 * MEBIBYTE)
    .default(16 * MEBIBYTE)
    .meta({
      variable: 'INFERENCE_MAX_BODY_BYTES',
      description: 'Largest body of a request, in bytes, after decompression',
    }),
  maximumBodiesBytes: wholeNumber(1024, 1024 * 1024 * MEBIBYTE)
    .default(256 * MEBIBYTE)
    .meta({
      variable: 'INFERENCE_MAX_BODIES_BYTES',
      description:
        'Bodies of all requests together, messages of gRPC included, that are held until they are answered, in bytes; ' +
        'more are refused',
    }),
  maximumJsonBytes: wholeNumber(1024, 1024 * MEBIBYTE)
    .default(8 * MEBIBYTE)
    .meta({
      variable: 'INFERENCE_MAX_JSON_BYTES',
      description: 'Largest body in JSON, in bytes; reading 8 MiB occupies the service for up to 0.1 s',
    }),
  maximumImages: wholeNumber(1, 10_000).default(256).meta({
    variable: 'INFERENCE_MAX_IMAGES',
    description: 'Most images of a request that come as pixels',
  }),
  maximumFiles: wholeNumber(1, 1_000).default(32).meta({
    variable: 'INFERENCE_MAX_FILES',
    description: 'Most images of a request that come as files and must be decoded',
  }),
  maximumExplained: wholeNumber(1, 64).default(8).meta({
    variable: 'INFERENCE_MAX_EXPLAINED',
    description: 'Most images of a request that are explained: each costs up to 169 predictions',
  }),
  maximumPixels: wholeNumber(1, 1_000_000_000).default(40_000_000).meta({
    variable: 'INFERENCE_MAX_PIXELS',
    description: 'Most pixels of all pictures of a request; interlaced, WebP and GIF count twice, AVIF four times',
  }),
  scratchDirectory: z.string().optional().meta({
    variable: 'INFERENCE_SCRATCH_DIR',
    description: 'Folder for uploads while they are evaluated; by default the one of the system for temporary files',
  }),
  evaluations: wholeNumber(1, 64).default(1).meta({
    variable: 'INFERENCE_EVALUATIONS',
    description: 'Evaluations at a time, and as many batches of files beside them; more are refused',
  }),
  evaluationUploads: wholeNumber(1, 1_000).default(8).meta({
    variable: 'INFERENCE_EVALUATION_UPLOADS',
    description: 'Sets that are on their way to an evaluation, or wait for their turn, at a time; more are refused',
  }),
  evaluationsKept: wholeNumber(1, 1_000).default(16).meta({
    variable: 'INFERENCE_EVALUATIONS_KEPT',
    description: 'Evaluations with `Prefer: respond-async` whose results are kept, for an hour',
  }),
  maximumUploadBytes: wholeNumber(1024, 1024 * 1024 * MEBIBYTE)
    .default(1024 * MEBIBYTE)
    .meta({
      variable: 'INFERENCE_EVALUATION_MAX_BYTES',
      description: 'Largest upload of an evaluation or of a batch of files, in bytes; it goes to the disk',
    }),
  maximumScratchBytes: wholeNumber(1024, 1024 * 1024 * MEBIBYTE)
    .default(4096 * MEBIBYTE)
    .meta({
      variable: 'INFERENCE_EVALUATION_MAX_DISK_BYTES',
      description: 'All uploads that are on the disk together, unpacked ones included, in bytes; more are refused',
    }),
  maximumEntries: wholeNumber(1, 10_000_000).default(100_000).meta({
    variable: 'INFERENCE_EVALUATION_MAX_ENTRIES',
    description:
      'Most entries of an archive, whatever they are, rows of a CSV file, and files that a `labels.csv` names',
  }),
  maximumEntryBytes: wholeNumber(1024, 1024 * MEBIBYTE)
    .default(16 * MEBIBYTE)
    .meta({
      variable: 'INFERENCE_EVALUATION_MAX_ENTRY_BYTES',
      description: 'Largest file in an upload, unpacked, in bytes; a larger one is skipped',
    }),
  maximumUnpackedBytes: wholeNumber(1024, 1024 * 1024 * MEBIBYTE)
    .default(4096 * MEBIBYTE)
    .meta({
      variable: 'INFERENCE_EVALUATION_MAX_UNPACKED_BYTES',
      description: 'Everything in an upload together, unpacked, in bytes',
    }),
  maximumRatio: wholeNumber(1, 10_000)
    .default(200)
    .meta({
      variable: 'INFERENCE_EVALUATION_MAX_RATIO',
      description:
        'How many times its stored bytes a file in an archive may unpack to; one that unpacks to more is skipped, and refused ' +
        'where it is the upload itself, as gzip',
    }),
  datasetDirectory: z.string().optional().meta({
    variable: 'FASHION_MNIST_DIR',
    description:
      'Folder of the data set, for evaluations on it; without it the next one and that of the Debian package',
  }),
  datasetCache: z.string().default('data/fashion-mnist').meta({
    variable: 'INFERENCE_DATASET_CACHE',
    description: 'Where `npm run fetch-dataset` keeps the data set; the service downloads nothing',
  }),
  device: z
    .enum(['auto', ...DEVICES])
    .default('auto')
    .meta({
      variable: 'DEVICE',
      description:
        'What to compute on: cpu, cuda or webgpu, or else not at all; auto takes cuda where it works, else cpu',
    }),
  workers: wholeNumber(1, 64).optional().meta({
    variable: 'INFERENCE_WORKERS',
    description:
      'Engines, each with a thread of its own; by default one for each core that is allowed but one, on a GPU one',
  }),
  decoders: wholeNumber(1, 64).optional().meta({
    variable: 'INFERENCE_DECODERS',
    description: 'Pictures decoded at a time; by default one for each core that is allowed',
  }),
  maximumDelayMs: wholeNumber(0, 1_000).default(2).meta({
    variable: 'INFERENCE_MAX_DELAY_MS',
    description: 'How long an image may wait for others to share a batch while every engine is busy, in ms',
  }),
  maximumQueue: wholeNumber(1, 1_000_000).default(1_024).meta({
    variable: 'INFERENCE_MAX_QUEUE',
    description: 'Most images that wait to be decoded, or to be computed; more are refused',
  }),
  maximumWaitMs: wholeNumber(1, 600_000).default(5_000).meta({
    variable: 'INFERENCE_MAX_WAIT_MS',
    description:
      'Longest that an image may be expected to wait at the rate of the last seconds, in ms; else it is refused',
  }),
  stuckMs: wholeNumber(100, 600_000).default(1_000).meta({
    variable: 'INFERENCE_STUCK_MS',
    description: 'How long a batch may take, in ms, before its engine counts as stuck and is replaced',
  }),
  graceMs: wholeNumber(0, 600_000).default(2_000).meta({
    variable: 'INFERENCE_GRACE_MS',
    description:
      'How long the service goes on serving after SIGTERM, unready, so that nobody is sent here any more, in ms',
  }),
  maximumUrlBytes: wholeNumber(128, 65_536).default(8_192).meta({
    variable: 'INFERENCE_MAX_URL_BYTES',
    description: 'Longest path and query of a request together, in bytes',
  }),
  maximumHeaderBytes: wholeNumber(1024, MEBIBYTE).default(16_384).meta({
    variable: 'INFERENCE_MAX_HEADER_BYTES',
    description: 'Largest headers of a request together, in bytes, with its first line',
  }),
  headersTimeoutMs: wholeNumber(100, 600_000).default(10_000).meta({
    variable: 'INFERENCE_HEADERS_TIMEOUT_MS',
    description: 'How long the headers of a request may take to arrive, in ms',
  }),
  requestTimeoutMs: wholeNumber(100, 3_600_000).default(60_000).meta({
    variable: 'INFERENCE_REQUEST_TIMEOUT_MS',
    description: 'How long a request may take to arrive whole, in ms',
  }),
  uploadTimeoutMs: wholeNumber(100, 86_400_000)
    .default(3_600_000)
    .meta({
      variable: 'INFERENCE_UPLOAD_TIMEOUT_MS',
      description:
        'How long files for `/evaluate` and `/predict/batch` may take instead, in ms, without the time in which the service ' +
        'makes their sender wait',
    }),
  stalledMs: wholeNumber(100, 3_600_000)
    .default(30_000)
    .meta({
      variable: 'INFERENCE_STALLED_MS',
      description:
        'How long a client may leave an answer unread, or send less than a kilobyte a second of such files, before its connection ' +
        'is ended, in ms',
    }),
  keepAliveMs: wholeNumber(0, 3_600_000).default(65_000).meta({
    variable: 'INFERENCE_KEEP_ALIVE_MS',
    description:
      'How long a connection stays open without a request, in ms; longer than a load balancer in front keeps it',
  }),
  maximumConnections: wholeNumber(1, 1_000_000).default(10_000).meta({
    variable: 'INFERENCE_MAX_CONNECTIONS',
    description: 'Connections at a time, over HTTP and over gRPC each; one more is closed as it comes',
  }),
  driftAnswers: wholeNumber(MINIMUM_EXAMPLES, 1_000_000).default(5_000).meta({
    variable: 'INFERENCE_DRIFT_ANSWERS',
    description: 'Last answers of each version that `/drift` compares with its validation images; 11 bytes each',
  }),
  driftMinutes: wholeNumber(1, 525_600).default(1_440).meta({
    variable: 'INFERENCE_DRIFT_MINUTES',
    description: 'How old an answer may be that `/drift` counts, in minutes',
  }),
  otlpEndpoint: z
    .url({ protocol: /^https?$/, error: 'expected http://... or https://...' })
    .optional()
    .meta({
      variable: 'INFERENCE_OTLP_ENDPOINT',
      description:
        'Collector of traces, OTLP over HTTP in JSON, for example http://127.0.0.1:4318; nothing is sent without',
    }),
  logLevel: z
    .enum(LOG_LEVELS)
    .default('info')
    .meta({
      variable: 'LOG_LEVEL',
      description: `Least important lines to log: ${LOG_LEVELS.join(', ')}`,
    }),
});
export type InferenceConfig = Readonly<z.infer<typeof InferenceConfig>>;

/** The configuration from environment variables; `invalid-configuration` reports every fault together. */
export function readConfig(environment: Record<string, string | undefined>): InferenceConfig {
  return readSettings(InferenceConfig, environment);
}
