import { ERROR_CODES } from '@atelier/domain';
import { z } from 'zod';
import { ModelReference } from './predict.ts';

export const ModelsResponse = z.strictObject({
  models: z
    .array(
      ModelReference.extend({
        state: z
          .enum(['served', 'available', 'refused'])
          .describe('available: published, and not tried because a newer one was served or it came later'),
        reason: z.enum(ERROR_CODES).optional().describe('Of a refusal: the check that failed'),
        accuracy: z.number().min(0).max(1).describe('On the test split, from the manifest'),
      }),
    )
    .describe('By name, then ascending by version'),
});
export type ModelsResponse = z.infer<typeof ModelsResponse>;
