import { z } from 'zod';
import { DEVICES } from '../predictor/predictor.ts';

/** What `setProvenance` says. */
export const Provenance = z.object({
  'X-Model-Name': z.string(),
  'X-Model-Version': z.string(),
  'X-Model-Digest': z.string(),
  'X-Device': z.enum(DEVICES),
  'X-Preprocessing': z.string().describe('What was done to pictures; another name where that changed'),
});
