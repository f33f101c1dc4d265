import { z } from 'zod';
import { Machine } from '../measurements/machine.ts';

export const GPU_DEVICES = ['cpu', 'webgpu', 'cuda'] as const;

/** What is tried: the same work on the processor and on each road to the GPU. */
export const Subject = z.strictObject({
  task: z.enum(['inference', 'training']),
  engine: z.enum(['onnx', 'tfjs']),
  device: z.enum(GPU_DEVICES),
});
export type Subject = z.infer<typeof Subject>;

export const Speeds = z.strictObject({
  /** Of inference: one image a batch, and 64. */
  imagesPerSecondAlone: z.number().positive().nullable(),
  imagesPerSecond: z.number().positive().describe('In batches of 64, or in training'),
  hostPeakBytes: z.number().positive().describe('Most memory that the process which computes held (resident set)'),
  validationAccuracy: z.number().min(0).max(1).nullable().describe('Of training, after its last epoch'),
});
export type Speeds = z.infer<typeof Speeds>;

export const Outcome = Subject.extend({
  /** Null where it cannot be used; `reason` says why. */
  measured: Speeds.nullable(),
  reason: z.string().nullable(),
  /** Between its numbers and those of the ONNX runtime on the processor; null for that itself. */
  largestDifference: z.number().nonnegative().nullable(),
  gpuPeakBytes: z.number().nonnegative().nullable().describe('More than was in use before; by nvidia-smi'),
});
export type Outcome = z.infer<typeof Outcome>;

export const Gpu = z.strictObject({ name: z.string(), driver: z.string(), memoryMiB: z.number().nullable() });
export type Gpu = z.infer<typeof Gpu>;

/** What `npm run test:gpu` writes into docs/gpu.json. */
export const GpuResults = z.strictObject({
  writtenAt: z.iso.datetime(),
  machine: Machine,
  gpu: Gpu,
  epochs: z.int().positive().describe('Of each training'),
  outcomes: z.array(Outcome),
});
export type GpuResults = z.infer<typeof GpuResults>;

/** How far the same numbers may lie apart on two devices: probabilities, logits, and losses in nats. */
export const TOLERANCE = 1e-4;

export type Verdict = 'passed' | 'failed' | 'not on the GPU' | 'missing';

/**
 * Whether a device did what it must: `missing` is for what need not be installed. Numbers alone prove no GPU: a driver that
 * imitates one gives them too, and takes none of its memory.
 */
export function verdictOf({ measured, largestDifference, engine, gpuPeakBytes }: Outcome): Verdict {
  if (measured === null) return engine === 'tfjs' ? 'missing' : 'failed';
  if (gpuPeakBytes === 0) return 'not on the GPU';
  return largestDifference === null || largestDifference <= TOLERANCE ? 'passed' : 'failed';
}
