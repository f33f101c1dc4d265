import { ModelName, ModelReference } from '@atelier/domain';
import { z } from 'zod';
import { LABELS, VERSION_STATES } from '../models/models.ts';
import { DEVICES } from '../predictor/predictor.ts';

export const ModelsResponse = z.strictObject({
  models: z
    .array(
      ModelReference.extend({
        state: z
          .enum(VERSION_STATES)
          .describe('READY: in memory, and answers whoever asks for it; UNLOADING: answers what it has'),
        reason: z
          .string()
          .describe('Where there is something to say: the code of the check that failed, and its words'),
        device: z.enum(DEVICES).optional().describe('What it computes on; absent where it is not in memory'),
        labels: z.array(z.enum(LABELS)).describe('stable: answers where a request says nothing of versions'),
        accuracy: z.number().min(0).max(1).describe('On the test split, from the manifest'),
      }),
    )
    .describe('By name, then ascending by version'),
  faults: z
    .array(
      z.strictObject({
        name: ModelName,
        version: z.int().positive().optional().describe('Absent: of the labels of the model'),
        reason: z.string(),
      }),
    )
    .describe('Manifests and labels that cannot be read'),
});
export type ModelsResponse = z.infer<typeof ModelsResponse>;
