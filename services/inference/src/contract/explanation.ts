import { CLASS_COUNT, CLASS_NAMES, PIXELS_PER_IMAGE } from '@atelier/domain';
import { z } from 'zod';
import { EXPLAIN_METHODS } from '../explain/explanation.ts';

const map = z.array(z.number()).length(PIXELS_PER_IMAGE);

/** What a prediction rests on, pixel by pixel. */
export const AnsweredExplanation = z.strictObject({
  method: z.enum(EXPLAIN_METHODS),
  label: z.enum(CLASS_NAMES).describe('The class that is explained: the most probable one'),
  classIndex: z
    .int()
    .min(0)
    .max(CLASS_COUNT - 1),
  map: map.describe(
    '28×28, row-major; above 0 speaks for the class, below 0 against it. gradient: the derivative times the pixel, in ' +
      'logits (arXiv 1605.01713); occlusion: what the class loses in probability when a patch of 4×4 around the pixel ' +
      'becomes background, averaged over the patches (arXiv 1311.2901)',
  ),
  gradient: map
    .optional()
    .describe("Only with gradient: the exact derivative of the class's logit by each pixel, in logits per grey level"),
  overlay: z
    .string()
    .startsWith('data:image/png;base64,')
    .describe('The image under the map, 112×112, as a PNG: blue speaks for the class, orange against it'),
});
export type AnsweredExplanation = z.infer<typeof AnsweredExplanation>;
