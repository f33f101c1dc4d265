import { CLASS_NAMES, ModelReference } from '@atelier/domain';
import { z } from 'zod';

/** How far answers have moved from what the version answered to its validation images. */
export const DRIFT_VERDICTS = ['stable', 'moderate', 'major', 'too-few-examples', 'no-reference'] as const;
export type DriftVerdict = (typeof DRIFT_VERDICTS)[number];

const share = z.number().min(0).max(1);
const count = z.int().min(0);
const index = z.number().min(0).nullable().describe('Population stability index; null without examples');

const DriftWindow = z.strictObject({
  model: ModelReference,
  verdict: z
    .enum(DRIFT_VERDICTS)
    .describe('By the larger of the two indexes; no-reference: the manifest does not say what answers looked like'),
  examples: count.describe('Answers in the window'),
  since: z.iso.datetime().nullable().describe('When the oldest of them was given'),
  abstained: share.nullable().describe('Share of the answers that the version says not to believe'),
  stabilityIndex: z.strictObject({ classes: index, confidence: index }),
  classes: z.array(z.strictObject({ label: z.enum(CLASS_NAMES), count, share, reference: share })),
  confidence: z.array(z.strictObject({ from: share.describe('Included'), to: share, count, share, reference: share })),
});
export type DriftWindow = z.infer<typeof DriftWindow>;

export const DriftResponse = z.strictObject({
  window: z.strictObject({
    answers: z.int().positive().describe('So many of the last answers of each version are kept'),
    minutes: z.number().positive().describe('And none that is older'),
    minimumExamples: z.int().positive().describe('With fewer there is no verdict'),
  }),
  limits: z.strictObject({ moderate: z.number(), major: z.number() }).describe('Of an index, from which on it is so'),
  versions: z.array(DriftWindow).describe('That have answered requests, or could'),
});
export type DriftResponse = z.infer<typeof DriftResponse>;
