import { z } from 'zod';

/** In inference mode. */
const Evaluation = z.strictObject({ loss: z.number().describe('Mean cross-entropy in nats'), accuracy: z.number() });

/** What one epoch did: a line of a run's `history.ndjson`. */
export const EpochReport = z.strictObject({
  epoch: z.int().positive().describe('Counted from 1'),
  trainingLoss: z.number().describe("Mean over the epoch's steps, with dropout and smoothing, in nats"),
  training: Evaluation.optional().describe('On a fixed sample of the images trained on; older runs have none'),
  validation: Evaluation,
  learningRate: z.number().describe("At the epoch's last step"),
  imagesPerSecond: z.number().describe('Training alone, without preparation and validation'),
  seconds: z.number().describe('Training alone'),
  preparationSeconds: z.number().default(0).describe("Augmentation and the teacher's answers, before training"),
  evaluationSeconds: z.number().default(0).describe('Of the training sample and of validation'),
  checkpointSeconds: z.number().default(0).describe('Taking the state out of the engine and writing it'),
});
export type EpochReport = z.infer<typeof EpochReport>;
