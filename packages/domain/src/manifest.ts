import { z } from 'zod';
import { CLASS_COUNT, CLASS_NAMES } from './classes.ts';
import { Digest } from './digest.ts';
import { DomainError } from './errors.ts';
import { PIXELS_PER_IMAGE } from './image-geometry.ts';
import { describeIssues, Recipe } from './recipe.ts';
import { Trust } from './trust.ts';

/** Raised when a reader of an older manifest would misunderstand a newer one; 1 is the first. */
export const MANIFEST_VERSION = 1;

/** Names of models: one folder each, so nothing that a path could be made of. */
export const ModelName = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case words and digits joined by hyphens')
  .max(64);

const unitInterval = z.number().min(0).max(1);
const count = z.int().min(0);
const perClass = <T extends z.ZodType>(value: T) => z.array(value).length(CLASS_COUNT);

export const SplitMetrics = z.strictObject({
  count: z.int().positive().describe('Images in the split'),
  accuracy: unitInterval,
  accuracyInterval: z.tuple([unitInterval, unitInterval]).describe('95 % Wilson score interval'),
  loss: z.number().min(0).describe('Mean cross-entropy in nats'),
  perClass: perClass(
    z.strictObject({
      label: z.enum(CLASS_NAMES),
      precision: unitInterval,
      recall: unitInterval,
      f1: unitInterval,
      support: count,
    }),
  ),
  confusionMatrix: perClass(perClass(count)).describe('Rows are true classes, columns predicted ones'),
  calibrationError: unitInterval.describe(
    'Expected calibration error over 15 equal bins of the top probability (arXiv 1706.04599)',
  ),
});
export type SplitMetrics = z.infer<typeof SplitMetrics>;

/** A hundred times what runtimes differ by; a larger one would let another model pass for this one. */
const MAXIMUM_GOLDEN_TOLERANCE = 0.01;

export const GoldenVectors = z.strictObject({
  images: z
    .array(z.base64())
    .min(1)
    .max(64)
    .describe(`Each ${PIXELS_PER_IMAGE} bytes, base64: synthetic pictures, no photograph`),
  probabilities: z.array(perClass(unitInterval)),
  tolerance: z
    .number()
    .positive()
    .max(MAXIMUM_GOLDEN_TOLERANCE)
    .describe('Largest absolute difference of a probability that a server accepts'),
  outlierScores: z
    .array(z.number())
    .optional()
    .describe(
      'One per image, where model.onnx gives outlier_score; accepted within a hundred tolerances, times the score above 1',
    ),
});
export type GoldenVectors = z.infer<typeof GoldenVectors>;

/** A model that a training goes on from in place of the recipe's initial weights. */
export const TrainingSource = z.strictObject({
  file: z.string().describe("The file's name, without its path"),
  digest: Digest.describe('Of the file, and of weights that it keeps in other files behind it'),
});
export type TrainingSource = z.infer<typeof TrainingSource>;

export const Manifest = z
  .strictObject({
    manifestVersion: z.literal(MANIFEST_VERSION),
    name: ModelName,
    version: z.int().positive(),
    createdAt: z.iso.datetime(),
    digest: Digest.describe('Of model.onnx'),
    sizeBytes: z.int().positive().describe('Of model.onnx'),
    classes: z
      .array(z.enum(CLASS_NAMES))
      .refine((names) => CLASS_NAMES.every((name, index) => names[index] === name), 'the ten class names in order')
      .length(CLASS_COUNT),
    recipe: Recipe,
    training: z.strictObject({
      run: z.string().describe('Id of the run'),
      engine: z.enum(['tfjs', 'onnx']),
      device: z.string().describe('What the engine computed on, for example "wasm, 2 cores"'),
      reason: z.string().optional().describe('Why this engine and device, and what kept others from being taken'),
      source: TrainingSource.optional().describe('The model that the training went on from; absent: drawn weights'),
      epochs: z.int().positive().describe('Trained'),
      bestEpoch: z.int().positive().describe('Whose weights these are, counted from 1'),
      seconds: z.number().positive(),
      imagesPerSecond: z.number().positive(),
    }),
    data: z.strictObject({
      name: z.literal('fashion-mnist'),
      digest: Digest.describe('Of the four decompressed IDX files, one after the other'),
      limit: z.int().positive().nullable().describe('Training images used where not all were'),
    }),
    metrics: z.strictObject({ train: SplitMetrics, validation: SplitMetrics, test: SplitMetrics }),
    parity: z.strictObject({
      images: z.int().positive(),
      maximumDifference: z
        .number()
        .min(0)
        .describe('Largest absolute difference of a probability, trained model against model.onnx'),
      maximumLogitDifference: z.number().min(0),
      tolerance: z.number().positive(),
    }),
    golden: GoldenVectors,
    temperature: z
      .number()
      .positive()
      .describe(
        'Model.onnx divides the logits by it before their softmax, for calibrated probabilities (arXiv 1706.04599)',
      ),
    trust: Trust.optional().describe(
      'Absent: model.onnx has no output outlier_score, and nothing says when not to believe it',
    ),
    recalibrated: z
      .strictObject({ version: z.int().positive(), digest: Digest })
      .optional()
      .describe(
        'The version whose weights these are, by its digest and its number in the folder that it came from; temperature and trust were fitted anew',
      ),
    software: z.record(z.string(), z.string()).describe('Versions of what made this'),
  })
  .refine((manifest) => manifest.golden.images.length === manifest.golden.probabilities.length, {
    path: ['golden'],
    message: 'as many probabilities as images',
  })
  .refine(({ golden, trust }) => golden.outlierScores?.length === (trust && golden.images.length), {
    path: ['golden', 'outlierScores'],
    message: 'as many as images where there are thresholds of trust, else none',
  });
export type Manifest = z.infer<typeof Manifest>;

/** Checks a manifest read from `place`; `invalid-manifest` names each faulty field. */
export function parseManifest(source: unknown, place: string): Manifest {
  const parsed = Manifest.safeParse(source);
  if (parsed.success) return parsed.data;
  throw new DomainError('invalid-manifest', `${place} is no valid manifest: ${describeIssues(parsed.error)}`, {
    cause: parsed.error,
  });
}
