import { CLASS_COUNT, CLASS_NAMES, MAXIMUM_PIXEL, ModelName, ModelReference, PIXELS_PER_IMAGE } from '@atelier/domain';
import { z } from 'zod';
import { EXPLAIN_METHODS } from '../explain/explanation.ts';
import { LABELS } from '../models/models.ts';
import { DEVICES } from '../predictor/predictor.ts';
import { AnsweredExplanation } from './explanation.ts';
import { AnsweredImage, ImageOptions } from './image.ts';

const VERSION = 'expected one whole number, 1 or more';
const TOP = `expected one whole number from 1 to ${CLASS_COUNT}`;

/** Which version answers. */
export const VersionQuery = z.strictObject({
  model: ModelName.optional().describe('Default: the model of the service'),
  version: z
    .string(VERSION)
    .regex(/^[1-9]\d{0,8}$/, VERSION)
    .transform(Number)
    .optional()
    .describe('This version and no other; not together with a label'),
  label: z.enum(LABELS).optional().describe('stable, or canary, which else answers its share of the requests'),
});

export const PredictQuery = VersionQuery.extend({
  top: z
    .string(TOP)
    .regex(/^([1-9]|10)$/, TOP)
    .transform(Number)
    .default(CLASS_COUNT)
    .describe('Classes to return for each image, most probable first'),
  ...ImageOptions.shape,
  preview: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('Whether the answer shows what the model was given'),
  explain: z.enum(EXPLAIN_METHODS).optional().describe('How to say what each prediction rests on; default: not at all'),
}).refine(({ version, label }) => version === undefined || label === undefined, {
  path: ['label'],
  message: 'expected a version or a label; came both',
});

/** An image in the data set's own form. */
export const PixelRow = z
  .array(z.int().min(0).max(MAXIMUM_PIXEL))
  .length(PIXELS_PER_IMAGE)
  .describe('28×28 pixels, row-major, 0 = background, 255 = brightest garment');

/** The JSON body: image files, or images in the data set's form. It describes; `jsonImages` checks, and says why. */
export const PredictRequest = z
  .strictObject({
    images: z.array(z.base64().min(1)).min(1).optional().describe('Image files, base64'),
    pixels: z.array(PixelRow).min(1).optional(),
  })
  .refine((body) => (body.images === undefined) !== (body.pixels === undefined), {
    message: 'expected exactly one of "images" and "pixels"',
  });

const probability = z.number().min(0).max(1);
const ClassProbability = z.strictObject({
  label: z.enum(CLASS_NAMES),
  classIndex: z
    .int()
    .min(0)
    .max(CLASS_COUNT - 1),
  probability,
});

/** What a version says of its own answer to one image; a version without thresholds says nothing. */
export const Judgement = z.strictObject({
  lowConfidence: z.boolean().describe("Whether the probability is below the version's threshold for it"),
  outlierScore: z.number().describe('How unlike the training images the image is, without a unit'),
  abstain: z
    .boolean()
    .describe("Not to be believed: the confidence is low, or the outlier score above the version's threshold for it"),
});
export type Judgement = z.infer<typeof Judgement>;

/** Of one image. */
export const Prediction = ClassProbability.extend({
  probabilities: z.array(ClassProbability).describe('Most probable first'),
  ...Judgement.partial().shape,
  explanation: AnsweredExplanation.optional().describe('What it rests on, where ?explain= asked'),
  image: AnsweredImage.optional().describe('What became of the picture; not for images that came as pixels'),
});
export type Prediction = z.infer<typeof Prediction>;

export const PredictResponse = z.strictObject({
  model: ModelReference,
  device: z.enum(DEVICES).describe('What the model computed on'),
  predictions: z.array(Prediction).describe('One per image, in the order of the request'),
});
export type PredictResponse = z.infer<typeof PredictResponse>;
