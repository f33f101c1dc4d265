import { ModelName } from '@atelier/domain';
import { LOG_LEVELS, readSettings, wholeNumber } from '@atelier/http';
import { z } from 'zod';

const MEBIBYTE = 1024 * 1024;

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
  modelsDirectory: z.string().default('models').meta({
    variable: 'MODELS_DIR',
    description: 'Folder of the published versions',
  }),
  modelName: ModelName.default('fashion-mlp').meta({
    variable: 'INFERENCE_MODEL',
    description: 'Model whose newest usable version is served',
  }),
  maximumBodyBytes: wholeNumber(1024, 1024 * MEBIBYTE)
    .default(16 * MEBIBYTE)
    .meta({
      variable: 'INFERENCE_MAX_BODY_BYTES',
      description: 'Largest body of a request, in bytes, after decompression',
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
  maximumPixels: wholeNumber(1, 1_000_000_000).default(40_000_000).meta({
    variable: 'INFERENCE_MAX_PIXELS',
    description: 'Most pixels of all pictures of a request; interlaced, WebP, GIF and AVIF count twice',
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
