import { z } from 'zod';
import { Augmentation } from './augmentation.ts';
import { Distillation } from './distillation.ts';
import { DomainError } from './errors.ts';
import { numberIn, wholeNumberIn } from './numbers.ts';
import { Schedule } from './schedule.ts';

/** The activations of hidden layers. `gelu` is the exact form, x·Φ(x) (arXiv 1606.08415). */
export const ACTIVATIONS = ['relu', 'gelu', 'elu', 'selu', 'tanh', 'sigmoid', 'linear'] as const;

const share = numberIn({ from: 0, below: 1 });
const positive = numberIn({ above: 0 });

export const HiddenLayer = z.strictObject({
  units: wholeNumberIn({ from: 1, to: 16_384 }).describe('Width of the dense layer'),
  activation: z.enum(ACTIVATIONS).describe('What follows the dense layer; gelu is the exact form (arXiv 1606.08415)'),
  batchNormalization: z
    .enum(['none', 'before-activation', 'after-activation'])
    .describe('Where batch normalisation stands (arXiv 1502.03167 puts it before; Keras examples often after)'),
  dropout: share.describe('Probability that a unit is dropped in training; the last thing a layer does'),
});
export type HiddenLayer = z.infer<typeof HiddenLayer>;

const moments = {
  beta1: share.default(0.9).describe('Decay of the first moment, the running mean of the gradient, per step'),
  beta2: share.default(0.999).describe('Decay of the second moment, the running mean of its square, per step'),
  epsilon: positive.default(1e-7).describe('Added to the root of the second moment'),
};
const learningRate = positive.describe('Peak learning rate; the schedule scales it');

/** Weight decay is not here: it is a choice of its own, see `weightDecay`. AdamW is adam with decoupled decay. */
export const Optimizer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sgd').describe('Plain gradient descent'), learningRate }),
  z.strictObject({
    kind: z.literal('momentum').describe('The steps add up: v ← momentum·v + gradient, w ← w − learningRate·v'),
    learningRate,
    momentum: share.default(0.9).describe('Share of the last step that goes on'),
    nesterov: z
      .boolean()
      .default(false)
      .describe("Look ahead along the accumulated step (Nesterov's form, as TensorFlow and PyTorch write it)"),
  }),
  z.strictObject({
    kind: z.literal('rmsprop').describe("Gradients over the root of their running mean square (Hinton's lecture 6e)"),
    learningRate,
    decay: share.default(0.9).describe('Decay of the mean square, per step'),
    momentum: share.default(0).describe('Share of the last step that goes on'),
    epsilon: positive.default(1e-7).describe('Added to the mean square under the root'),
  }),
  z.strictObject({ kind: z.literal('adam').describe('arXiv 1412.6980'), learningRate, ...moments }),
]);
export type Optimizer = z.infer<typeof Optimizer>;

export const WeightDecay = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none').describe('Weights do not decay') }),
  z.strictObject({
    kind: z
      .enum(['l2', 'decoupled'])
      .describe('l2 adds rate·w to the gradient; decoupled shrinks w by learningRate·rate (arXiv 1711.05101)'),
    rate: numberIn({ above: 0, below: 1 }).describe('Of the weight itself, per step and before the learning rate'),
    appliesTo: z
      .enum(['kernels', 'all'])
      .describe('Dense kernels only, or every trainable parameter (PyTorch does that)'),
  }),
]);
export type WeightDecay = z.infer<typeof WeightDecay>;

export const EarlyStopping = z.strictObject({
  monitor: z
    .enum(['training-loss', 'validation-loss', 'validation-accuracy'])
    .describe('The number of each epoch that decides: losses are better lower, accuracy is better higher'),
  patience: wholeNumberIn({ from: 1 }).describe('Epochs without improvement before training stops'),
  minimumImprovement: numberIn({ from: 0 })
    .default(0)
    .describe('What counts as an improvement must exceed this: nats for a loss, a share of 1 for accuracy'),
});
export type EarlyStopping = z.infer<typeof EarlyStopping>;

export const GradientClipping = z.strictObject({
  globalNorm: positive.describe(
    "Largest Euclidean norm of a step's gradient over all parameters together; a longer one is scaled down to it " +
      '(arXiv 1211.5063), before weight decay adds to it',
  ),
});
export type GradientClipping = z.infer<typeof GradientClipping>;

export const WeightAveraging = z.strictObject({
  decay: numberIn({ above: 0, below: 1 }).describe(
    'Share of the average that a step keeps: average ← average + (1 − d)·(weight − average). The average begins with ' +
      'the initial weights, and so that it forgets them d is min(decay, (1 + t)/(10 + t)) after t earlier steps, as in ' +
      "TensorFlow's ExponentialMovingAverage",
  ),
});
export type WeightAveraging = z.infer<typeof WeightAveraging>;

/** Everything that decides a model. With a data digest it reproduces one. */
export const Recipe = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case words and digits joined by hyphens')
    .max(64)
    .describe('What the command line and the manifest call it'),
  description: z.string().max(500).describe('A sentence for people'),
  hiddenLayers: z.array(HiddenLayer).min(1).max(32).describe('From the pixels to the logits'),
  batchNormalization: z
    .strictObject({
      momentum: share.default(0.99).describe('Of the running statistics; PyTorch calls 1 minus this momentum'),
      epsilon: positive.default(1e-3).describe('Added to the variance under the root'),
    })
    .prefault({})
    .describe('Of every batch normalisation (arXiv 1502.03167)'),
  initializer: z
    .enum(['glorot-uniform', 'he-normal', 'torch-linear'])
    .describe(
      'Of dense kernels. torch-linear is uniform in ±1/√inputs for kernel and bias; the others have zero biases',
    ),
  inputRange: z
    .tuple([numberIn({}), numberIn({})])
    .refine(([minimum, maximum]) => minimum < maximum, 'the minimum must be below the maximum')
    .describe('What pixel 0 and pixel 255 become'),
  optimizer: Optimizer.describe('How gradients become steps'),
  weightDecay: WeightDecay.default({ kind: 'none' }).describe('How weights shrink by themselves'),
  gradientClipping: GradientClipping.nullable()
    .default(null)
    .describe('Limits the length of gradients; null: no limit'),
  weightAveraging: WeightAveraging.nullable()
    .default(null)
    .describe(
      'Exponential moving average of the parameters, which is what is evaluated and published; null: the parameters ' +
        'themselves. Running statistics of batch normalisation are not averaged again',
    ),
  loss: z
    .strictObject({
      kind: z
        .literal('cross-entropy')
        .default('cross-entropy')
        .describe('Of softmax(logits) with the targets, in nats, the mean over a batch'),
      labelSmoothing: share
        .default(0)
        .describe('Share of a target that all ten classes get alike (arXiv 1512.00567, section 7)'),
    })
    .prefault({})
    .describe('What training makes small'),
  distillation: Distillation.nullable()
    .default(null)
    .describe('Learns from the answers of another model; null: from the labels alone'),
  schedule: Schedule.default({ kind: 'constant' }).describe('How the learning rate follows the steps'),
  batchSize: wholeNumberIn({ from: 1, to: 60_000 }).describe(
    'Images per optimiser step; the last step of an epoch may have fewer',
  ),
  epochs: wholeNumberIn({ from: 1, to: 10_000 }).describe('How often each training image is seen, at most'),
  earlyStopping: EarlyStopping.nullable()
    .default(null)
    .describe('Stops when nothing improves, and goes back to the best epoch; null: the last epoch counts'),
  validationShare: numberIn({ above: 0, below: 1 }).describe(
    'Of the 60,000 training images, held out, stratified by class',
  ),
  augmentation: Augmentation.prefault({}),
  seed: wholeNumberIn({ from: 0, to: 2 ** 31 - 1 }).describe(
    'Decides everything random: initial weights, split, order, dropout masks and augmentation',
  ),
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

/** One line for all faults of a validation: `epochs: expected a whole number from 1 to 10,000; came 0; seed: ...`. */
export function describeIssues(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || '(top level)'}: ${issue.message}`).join('; ');
}
