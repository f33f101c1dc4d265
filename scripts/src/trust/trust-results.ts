import { z } from 'zod';

const share = z.number().min(0).max(1);

/** How well a version knows when not to believe itself, as `trust.json` has it. */
export const TrustResults = z.strictObject({
  writtenAt: z.iso.datetime(),
  seed: z.int().min(0),
  model: z.strictObject({ name: z.string(), version: z.int().positive(), digest: z.string() }),
  temperature: z.number().positive(),
  calibrationError: z.strictObject({ uncalibrated: share, calibrated: share }).describe('On the test images'),
  /** Of the test images. */
  garments: z.strictObject({
    count: z.int().positive(),
    accuracy: share,
    pass: share.describe('Not above the threshold of the outlier score'),
    lowConfidence: share,
    abstained: share,
    accuracyOfOthers: share.describe('Of those on which it does not abstain'),
  }),
  thresholds: z.strictObject({ outlierScore: z.number(), confidence: share }),
  outliers: z.array(
    z.strictObject({
      name: z.string(),
      title: z.string(),
      count: z.int().positive(),
      area: share.describe('Under the ROC curve, against the test images'),
      flagged: share.describe('Above the threshold of the outlier score'),
      abstained: share,
    }),
  ),
});
export type TrustResults = z.infer<typeof TrustResults>;

/** What is asked of a published version. */
export const TRUST_GOALS = { area: 0.95, calibrationError: 0.015 } as const;
