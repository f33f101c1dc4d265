import { CLASS_NAMES, Digest, ModelReference, SplitMetrics } from '@atelier/domain';
import { z } from 'zod';

const share = z.number().min(0).max(1);
const count = z.int().min(0);
const className = z.enum(CLASS_NAMES);
const name = z.string().describe('As the input has it; the middle of a very long one is left out');
const preview = z
  .string()
  .startsWith('data:image/png;base64,')
  .describe('What the model saw, 28×28, as a PNG data URI');

/** Forms in which labelled images come. */
export const INPUT_FORMS = ['zip', 'idx', 'csv', 'folder', 'dataset'] as const;

export const EvaluatedInput = z.strictObject({
  form: z.enum(INPUT_FORMS),
  digest: Digest.describe(
    'Of the bytes as they came; of a folder, of what sha256sum prints for its files by name, those included that were not ' +
      'read and those not that are ignored',
  ),
  bytes: count.describe('As they came, so compressed where they were'),
  ignored: count.describe(
    "Entries that are nobody's pictures, such as what a system keeps beside files; no other number counts them",
  ),
});
export type EvaluatedInput = z.infer<typeof EvaluatedInput>;

/** How good one version is on the images. */
export const EvaluationMetrics = z.strictObject({
  examples: z.int().positive().describe('Images that were measured; those that could not be read are not among them'),
  ...SplitMetrics.omit({ count: true }).shape,
  topThreeAccuracy: share.describe('How often the true class is among the three most probable'),
  balancedAccuracy: share.describe('Mean recall of the classes that occur'),
  macroF1: share.describe('Mean F1 of the classes that occur or are predicted, each alike'),
  weightedF1: share.describe('Mean F1, each class by how often it occurs'),
  calibrationBins: z
    .array(
      z.strictObject({
        lower: share.describe('Confidence from which the bin reaches, included'),
        upper: share.describe('To which it reaches, excluded; the last includes 1'),
        count,
        confidence: share.nullable().describe('Mean confidence; null in an empty bin'),
        accuracy: share.nullable().describe('Share that is right; null in an empty bin'),
      }),
    )
    .describe('Of the reliability diagram, the lowest first'),
});
export type EvaluationMetrics = z.infer<typeof EvaluationMetrics>;

export const Mistake = z.strictObject({
  name,
  actual: className,
  predicted: className,
  confidence: share.describe('Probability of the predicted class'),
  top: z.array(z.strictObject({ label: className, probability: share })).describe('The three most probable classes'),
  preview,
});
export type Mistake = z.infer<typeof Mistake>;

export const UnreadableEntry = z.strictObject({
  name,
  code: z.string().describe('Stable, as in docs/errors.md'),
  message: z.string(),
});
export type UnreadableEntry = z.infer<typeof UnreadableEntry>;

export const DifferingImage = z.strictObject({
  name,
  actual: className,
  predicted: className,
  confidence: share,
  againstPredicted: className,
  againstConfidence: share,
  preview,
});
export type DifferingImage = z.infer<typeof DifferingImage>;

export const VersionComparison = z.strictObject({
  against: ModelReference,
  metrics: EvaluationMetrics.describe('Of the version compared with, on the same images'),
  accuracyDifference: z
    .number()
    .min(-1)
    .max(1)
    .describe("The model's accuracy minus that of the version compared with"),
  accuracyDifferenceInterval: z
    .tuple([z.number().min(-1).max(1), z.number().min(-1).max(1)])
    .describe('95 % interval for paired proportions: Newcombe 1998, method 10'),
  bothRight: count,
  onlyModelRight: count,
  onlyAgainstRight: count,
  bothWrong: count,
  mcnemar: z
    .strictObject({
      pValue: share.describe('Two-sided: how likely a split at least so uneven is if both are equally often right'),
      method: z
        .enum(['exact', 'mid-p'])
        .describe('The exact binomial test where fewer than 25 images tell the versions apart, else its mid-p form'),
    })
    .describe("McNemar's test"),
  differing: z
    .strictObject({ count, shown: z.array(DifferingImage).describe('The most confident ones') })
    .describe('Images for which the two versions predict different classes'),
});
export type VersionComparison = z.infer<typeof VersionComparison>;

/** How good a version is on labelled images, and how that was measured. */
export const EvaluationReport = EvaluationMetrics.extend({
  createdAt: z.iso.datetime(),
  model: ModelReference,
  device: z.string().describe('What the model computed on'),
  input: EvaluatedInput,
  abstentions: z
    .strictObject({
      count,
      share,
      accuracyOfAnswered: share
        .nullable()
        .describe('Of the images on which it did not abstain; null where there are none'),
    })
    .nullable()
    .describe(
      'Where the model says that it should not be believed; null for one that cannot. All other numbers count them too',
    ),
  seconds: z.number().min(0).describe('From the first byte to the last prediction'),
  imagesPerSecond: z.number().min(0),
  timingsMs: z
    .record(z.string(), z.number().min(0))
    .describe('Where the time went, in ms; steps that run at the same time add up to more than the whole'),
  mistakes: z.strictObject({ count, shown: z.array(Mistake).describe('The most confident ones') }),
  unreadable: z.strictObject({
    count,
    byCode: z.record(z.string(), count),
    shown: z.array(UnreadableEntry).describe('The first ones, in the order of the input'),
  }),
  comparison: VersionComparison.nullable().describe('Null where none was asked for'),
});
export type EvaluationReport = z.infer<typeof EvaluationReport>;
