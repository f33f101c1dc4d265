import { z } from 'zod';
import { DomainError } from './errors.ts';

/** The activations of hidden layers. `gelu` is the exact form, x·Φ(x) (arXiv 1606.08415). */
export const ACTIVATIONS = ['relu', 'gelu', 'elu', 'selu', 'tanh', 'sigmoid', 'linear'] as const;

const share = z.number().min(0).lt(1);
const positive = z.number().positive();

export const HiddenLayer = z.strictObject({
  units: z.int().min(1).max(16_384).describe('Width of the dense layer'),
  activation: z.enum(ACTIVATIONS),
  batchNormalization: z
    .enum(['none', 'before-activation', 'after-activation'])
    .describe('Where batch normalisation stands (arXiv 1502.03167 puts it before; Keras examples often after)'),
  dropout: share.describe('Probability that a unit is dropped in training; the last thing a layer does'),
});
export type HiddenLayer = z.infer<typeof HiddenLayer>;

const moments = {
  beta1: share.default(0.9),
  beta2: share.default(0.999),
  epsilon: positive.default(1e-7).describe('Added to the root of the second moment'),
};
const learningRate = positive.describe('Peak learning rate; the schedule scales it');

/** Weight decay is not here: it is a choice of its own, see `weightDecay`. AdamW is adam with decoupled decay. */
export const Optimizer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sgd'), learningRate }),
  z.strictObject({
    kind: z.literal('momentum'),
    learningRate,
    momentum: share.default(0.9),
    nesterov: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal('rmsprop'),
    learningRate,
    decay: share.default(0.9).describe('Decay of the mean square'),
    momentum: share.default(0),
    epsilon: positive.default(1e-7),
  }),
  z.strictObject({ kind: z.literal('adam'), learningRate, ...moments }),
]);
export type Optimizer = z.infer<typeof Optimizer>;

export const WeightDecay = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z
      .enum(['l2', 'decoupled'])
      .describe('l2 adds rate·w to the gradient; decoupled shrinks w by learningRate·rate (arXiv 1711.05101)'),
    rate: z.number().positive().lt(1),
    appliesTo: z
      .enum(['kernels', 'all'])
      .describe('Dense kernels only, or every trainable parameter (PyTorch does that)'),
  }),
]);
export type WeightDecay = z.infer<typeof WeightDecay>;

export const Schedule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant') }),
  z.strictObject({ kind: z.literal('step'), everyEpochs: z.int().positive(), factor: z.number().gt(0).lt(1) }),
  z.strictObject({
    kind: z.literal('cosine'),
    warmUpEpochs: z.number().min(0).default(0).describe('Linear rise from 0'),
    finalFraction: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('Of the peak learning rate, approached as training ends'),
  }),
  z.strictObject({
    kind: z.literal('reduce-on-plateau'),
    factor: z.number().gt(0).lt(1),
    patience: z.int().min(0).describe('Epochs without a lower validation loss before the rate is reduced'),
  }),
]);
export type Schedule = z.infer<typeof Schedule>;

export const EarlyStopping = z.strictObject({
  monitor: z.enum(['validation-loss', 'validation-accuracy']),
  patience: z.int().min(1).describe('Epochs without improvement before training stops'),
  minimumImprovement: z.number().min(0).default(0),
});
export type EarlyStopping = z.infer<typeof EarlyStopping>;

/** Everything that decides a model. With a data digest it reproduces one. */
export const Recipe = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case words and digits joined by hyphens')
    .max(64),
  description: z.string().max(500),
  hiddenLayers: z.array(HiddenLayer).min(1).max(32),
  batchNormalization: z
    .strictObject({
      momentum: share.default(0.99).describe('Of the running statistics; PyTorch calls 1 minus this momentum'),
      epsilon: positive.default(1e-3),
    })
    .prefault({}),
  initializer: z
    .enum(['glorot-uniform', 'he-normal', 'torch-linear'])
    .describe(
      'Of dense kernels. torch-linear is uniform in ±1/√inputs for kernel and bias; the others have zero biases',
    ),
  inputRange: z
    .tuple([z.number(), z.number()])
    .refine(([minimum, maximum]) => minimum < maximum, 'the minimum must be below the maximum')
    .describe('What pixel 0 and pixel 255 become'),
  optimizer: Optimizer,
  weightDecay: WeightDecay.default({ kind: 'none' }),
  loss: z
    .strictObject({
      kind: z.literal('cross-entropy').default('cross-entropy'),
      labelSmoothing: share.default(0),
    })
    .prefault({}),
  schedule: Schedule.default({ kind: 'constant' }),
  batchSize: z.int().min(1).max(60_000),
  epochs: z.int().min(1).max(10_000),
  earlyStopping: EarlyStopping.nullable().default(null),
  validationShare: z.number().gt(0).lt(1).describe('Of the 60,000 training images, held out, stratified by class'),
  augmentation: z
    .strictObject({
      mirrorProbability: z.number().min(0).max(1).default(0).describe('Of flipping an image left to right'),
    })
    .prefault({}),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
});
/** A recipe with every default filled in. */
export type Recipe = z.infer<typeof Recipe>;
/** A recipe as an author writes it. */
export type RecipeSource = z.input<typeof Recipe>;

/** Fills the defaults in and checks every field; `invalid-recipe` names each faulty field and what it takes. */
export function parseRecipe(source: unknown): Recipe {
  const parsed = Recipe.safeParse(source);
  if (parsed.success) return parsed.data;
  throw new DomainError('invalid-recipe', `The recipe is not valid: ${describeIssues(parsed.error)}`, {
    cause: parsed.error,
  });
}

/** One line for all faults of a validation: `epochs: Too small: expected number to be >=1; seed: ...`. */
export function describeIssues(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || '(top level)'}: ${issue.message}`).join('; ');
}
