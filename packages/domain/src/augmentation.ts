import { z } from 'zod';
import { numberIn } from './numbers.ts';

const probability = numberIn({ from: 0, to: 1 });

/**
 * How training images are changed, anew in every epoch, in this order: mirror, one warp (scale, aspect, rotation, shift),
 * reversal of tones, contrast, remnants, erasing, mixup. What is left out changes nothing. Numbers that a step draws are uniform in their range unless
 * it says otherwise, and drawn for each image by itself. What comes into view from outside an image is background, 0.
 */
export const Augmentation = z
  .strictObject({
    mirrorProbability: probability.default(0).describe('Probability that an image is flipped left to right'),
    shiftPixels: numberIn({ from: 0, to: 14 })
      .default(0)
      .describe('Farthest shift in pixels, fractions included, along each axis by itself'),
    scale: numberIn({ from: 0, to: 0.5 })
      .default(0)
      .describe('Largest relative change of size: at 0.1 an image becomes 0.9 to 1.1 times as large'),
    aspect: numberIn({ from: 0, to: 0.5 })
      .default(0)
      .describe('Largest relative change of width to height; the area stays: at 0.1 the ratio is 0.9 to 1.1'),
    rotationDegrees: numberIn({ from: 0, to: 180 })
      .default(0)
      .describe('Largest angle in degrees, either way, about the middle of the image'),
    contrast: numberIn({ from: 0, to: 1 })
      .default(0)
      .describe(
        'Largest relative change of the grey levels: at 0.2 each is multiplied by 0.8 to 1.2 and kept within 255, so ' +
          'that the background stays black',
      ),
    toneReversal: probability
      .default(0)
      .describe(
        "Probability that a garment's grey levels are reversed: its lightest part becomes its darkest; the background stays",
      ),
    remnantProbability: probability
      .default(0)
      .describe(
        'Probability that one to three grey rectangles or ellipses, 2 to 16 pixels an edge, are put behind the garment, as ' +
          'what is left of the background of a photo',
      ),
    erasing: z
      .strictObject({
        probability: probability.describe('Probability that a rectangle of an image becomes background'),
        maximumArea: numberIn({ above: 0, to: 1 }).describe(
          "Largest share of the image's area that the rectangle takes",
        ),
      })
      .nullable()
      .default(null)
      .describe(
        'Random erasing (arXiv 1708.04896): an upright rectangle inside the image, its sides in a ratio of 0.3 to 1/0.3',
      ),
    mixup: z
      .strictObject({
        alpha: numberIn({ from: 0.01, to: 10 }).describe(
          'Of Beta(alpha, alpha), which the weight of the first image is drawn from: near 0 mixes hardly, 1 evenly',
        ),
      })
      .nullable()
      .default(null)
      .describe(
        'Mixup (arXiv 1710.09412): each image is mixed with another of the same epoch, and their targets alike',
      ),
  })
  .describe('Random changes of the training images, none by default');
/** With every default filled in. */
export type Augmentation = z.infer<typeof Augmentation>;
/** As an author writes it. */
export type AugmentationSource = z.input<typeof Augmentation>;
