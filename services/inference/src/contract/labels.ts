import { Labels } from '@atelier/model-repository';
import { z } from 'zod';

/** Both labels, so that the same request twice is the same as once. */
export const LabelsRequest = z.strictObject({
  stable: Labels.shape.stable.unwrap(),
  canary: Labels.shape.canary.unwrap(),
});

export const LabelsResponse = Labels.extend({
  serving: z
    .strictObject({ stable: z.int().positive().nullable(), canary: z.int().positive().nullable() })
    .describe('Who answers by these labels now; another version than is labelled where that cannot be served'),
  fault: z.string().optional().describe('Why the file of the labels cannot be read; these are the ones before it'),
});
export type LabelsResponse = z.infer<typeof LabelsResponse>;
