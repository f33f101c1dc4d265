import { z } from 'zod';
import { IMAGE_FORMATS } from '../image/formats.ts';

/** What a client may decide in place of the pipeline. */
export const ImageOptions = z.strictObject({
  polarity: z
    .enum(['auto', 'keep', 'invert'])
    .default('auto')
    .describe(
      'Whether dark becomes light: auto makes the garment light on black, keep and invert say it for the whole picture',
    ),
  crop: z
    .enum(['auto', 'none'])
    .default('auto')
    .describe('auto cuts the garment out; none leaves the whole picture, scaled until its longest edge fits'),
});
export type ImageOptions = z.infer<typeof ImageOptions>;

const edge = z.int().positive();

/** What became of a picture on its way to 28×28. */
export const ImageFacts = z.strictObject({
  width: edge.describe('Of the picture as it is looked at, upright, in pixels'),
  height: edge,
  format: z.enum(IMAGE_FORMATS),
  inverted: z.boolean().describe('Whether dark became light'),
  mirrored: z
    .boolean()
    .describe('Whether the prediction is of the mirror image, of which the model was surer than of the picture'),
  crop: z
    .strictObject({ left: z.int().min(0), top: z.int().min(0), width: edge, height: edge })
    .nullable()
    .describe('What was cut out, in pixels of the upright picture; null: all of it was taken'),
  background: z
    .enum(['plain', 'busy', 'none'])
    .describe(
      'plain: the garment stands out from it; busy: it does not, or not as a whole; none: there is none to remove',
    ),
  warnings: z
    .array(z.enum(['busy-background', 'low-contrast', 'no-garment', 'tiny', 'touches-border', 'upscaled']))
    .describe('Reasons to trust the prediction less; the README explains them'),
});
export type ImageFacts = z.infer<typeof ImageFacts>;
export type ImageWarning = ImageFacts['warnings'][number];

/** In an answer, with what was asked for. */
export const AnsweredImage = ImageFacts.extend({
  preview: z
    .string()
    .startsWith('data:image/png;base64,')
    .optional()
    .describe('What the model was given, 28×28, as a PNG; where ?preview=true asked for it'),
});
