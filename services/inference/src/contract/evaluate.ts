import { EvaluationReport } from '@atelier/evaluation';
import { z } from 'zod';
import { ModelReference } from '@atelier/domain';
import { VersionQuery } from './predict.ts';

const VERSION = 'expected one whole number, 1 or more';

const wholeNumber = z
  .string(VERSION)
  .regex(/^[1-9]\d{0,8}$/, VERSION)
  .transform(Number);

export const EvaluateQuery = VersionQuery.extend({
  against: wholeNumber.optional().describe('A version of the same model to compare with, on the same images'),
  limit: wholeNumber.optional().describe('No more images than these, the first ones'),
}).refine(({ version, label }) => version === undefined || label === undefined, {
  path: ['label'],
  message: 'expected a version or a label; came both',
});

/** A labelled set that the server has itself. */
export const DatasetRequest = z.strictObject({
  dataset: z.literal('fashion-mnist'),
  split: z.enum(['train', 'test']).default('test'),
});

/** What becomes of an evaluation that nobody waits for. */
export const EVALUATION_STATES = ['running', 'done', 'failed', 'cancelled'] as const;
export type EvaluationState = (typeof EVALUATION_STATES)[number];

export const EvaluationProgress = z.strictObject({
  examples: z.int().min(0).describe('Images that were measured'),
  skipped: z.int().min(0).describe('Entries that could not be'),
  total: z.int().min(0).describe('Both together at the end'),
});
export type EvaluationProgress = z.infer<typeof EvaluationProgress>;

export const EvaluationSummary = z.strictObject({
  id: z.uuid(),
  state: z.enum(EVALUATION_STATES),
  model: ModelReference,
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
  progress: EvaluationProgress,
  problem: z
    .strictObject({ type: z.string(), title: z.string(), status: z.int(), detail: z.string().optional() })
    .nullable()
    .describe('Why it failed'),
});
export type EvaluationSummary = z.infer<typeof EvaluationSummary>;

export const EvaluationsResponse = z.strictObject({ evaluations: z.array(EvaluationSummary).describe('Newest first') });

export const EvaluationResource = EvaluationSummary.extend({
  report: EvaluationReport.nullable().describe('Null until it is done'),
});
export type EvaluationResource = z.infer<typeof EvaluationResource>;
