import { z } from 'zod';
import { Digest } from './digest.ts';
import { ModelName } from './manifest.ts';

/** Which published version; the digest is that of its model.onnx. */
export const ModelReference = z.strictObject({ name: ModelName, version: z.int().positive(), digest: Digest });
export type ModelReference = z.infer<typeof ModelReference>;
