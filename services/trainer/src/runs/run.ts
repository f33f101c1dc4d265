import { Digest, Recipe } from '@atelier/domain';
import { z } from 'zod';

export const RUN_STATES = ['running', 'finished', 'interrupted', 'failed'] as const;

/** `run.json`: what a run is, and how it ended. */
export const Run = z.strictObject({
  id: z.string(),
  state: z.enum(RUN_STATES),
  recipe: Recipe,
  engine: z.strictObject({ name: z.enum(['tfjs', 'onnx']), device: z.string(), reason: z.string() }),
  data: z.strictObject({ digest: Digest, source: z.string(), limit: z.int().positive().nullable() }),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  epochs: z.int().min(0).describe('Completed'),
  bestEpoch: z.int().positive().nullable(),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  published: z.strictObject({ name: z.string(), version: z.int().positive() }).nullable(),
});
export type Run = z.infer<typeof Run>;
