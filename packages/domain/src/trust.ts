import { z } from 'zod';
import { CLASS_COUNT } from './classes.ts';

const share = z.number().min(0).max(1);

/** What validation answers looked like, for those who watch whether the answers of a service still do. */
export const AnswerReference = z
  .strictObject({
    count: z.int().positive().describe('Images of the validation split'),
    classShares: z.array(share).length(CLASS_COUNT).describe('Share of the answers that name each class'),
    confidenceEdges: z
      .array(share)
      .max(50)
      .refine((edges) => edges.every((edge, index) => index === 0 || edge > (edges[index - 1] ?? 1)), 'ascending')
      .describe('Between the bins of the confidence; a bin reaches from its lower edge, included, to the next'),
    confidenceShares: z.array(share).describe('Share of the answers in each bin, one more than there are edges'),
  })
  .refine(({ confidenceEdges, confidenceShares }) => confidenceShares.length === confidenceEdges.length + 1, {
    path: ['confidenceShares'],
    message: 'one share more than there are edges',
  });
export type AnswerReference = z.infer<typeof AnswerReference>;

/** When an answer is not to be believed: thresholds that were fitted on the validation split, and what they did there. */
export const Trust = z.strictObject({
  outliers: z.strictObject({
    threshold: z.number().describe('An image whose outlier score is above this is like none of the training images'),
    passRate: share.describe('Share of the validation images that are not above it'),
  }),
  confidence: z.strictObject({
    threshold: share.describe('An answer with a confidence below this is a low one'),
    targetAccuracy: share.describe(
      'What the other answers were to reach; the threshold is the lowest with which they do',
    ),
    accuracy: share.nullable().describe('What they reached on the validation split; null where none are left'),
    passRate: share.describe('Share of the validation images that are not below it'),
  }),
  reference: AnswerReference,
});
export type Trust = z.infer<typeof Trust>;
