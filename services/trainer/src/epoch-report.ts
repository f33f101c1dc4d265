import { z } from 'zod';

/** What one epoch did: a line of a run's `history.ndjson`. */
export const EpochReport = z.strictObject({
  epoch: z.int().positive().describe('Counted from 1'),
  trainingLoss: z.number().describe("Mean over the epoch's steps, with dropout and smoothing, in nats"),
  validation: z.strictObject({ loss: z.number().describe('Mean cross-entropy in nats'), accuracy: z.number() }),
  learningRate: z.number().describe("At the epoch's last step"),
  imagesPerSecond: z.number().describe('Training alone, without validation'),
  seconds: z.number().describe('Training alone'),
  evaluationSeconds: z.number().default(0).describe('Validation'),
  checkpointSeconds: z.number().default(0).describe('Taking the state out of the engine and writing it'),
});
export type EpochReport = z.infer<typeof EpochReport>;
