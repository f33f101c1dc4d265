import { setImmediate as nextTurn } from 'node:timers/promises';
import { DomainError, type Recipe } from '@atelier/domain';
import { select, shuffled, sliceTraining } from '@atelier/fashion-mnist';
import type { EpochReport } from './epoch-report.ts';
import type { Teacher } from './distillation/teacher.ts';
import { evaluate, type Evaluation } from './evaluate.ts';
import { learningRates } from './learning-rate.ts';
import { afterEpoch, BEGINNING, isOver, type Standing } from './standing.ts';
import type { EngineState, TrainingEngine } from './training-engine.ts';
import { type TrainingData, trainingExamples } from './training-examples.ts';

/** Images trained on, the same in every epoch, whose loss and accuracy are followed. */
const TRAINING_SAMPLE = 5000;

export interface Progress {
  epoch: number;
  epochs: number;
  step: number;
  stepsPerEpoch: number;
  loss: number;
  imagesPerSecond: number;
  /** Of the last epoch that was validated. */
  validationAccuracy: number | null;
}

/** What is worth keeping at the end of an epoch. */
export interface EpochEnd {
  standing: Standing;
  /** Of the engine, at this moment. */
  state: EngineState;
}

/** What a training that goes on must know of the epochs before. */
export interface Past {
  standing: Standing;
  /** The state of the best epoch, where early stopping keeps one. */
  bestState: EngineState | null;
  /** Up to this epoch. */
  history: EpochReport[];
}

export interface FitOptions {
  /** What the engine was trained for already; default: nothing. */
  past?: Past | undefined;
  /** Whose answers are in the targets, for a recipe with distillation. */
  teacher?: Pick<Teacher, 'teach'> | undefined;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** Keeps an epoch's end; the time this takes stands in the epoch's report, which follows. */
  onCheckpoint?: (end: EpochEnd) => Promise<void>;
  onEpoch?: (report: EpochReport) => Promise<void>;
}

export interface FitResult {
  history: EpochReport[];
  /** The epoch whose weights the engine holds now, counted from 1. */
  bestEpoch: number;
}

/**
 * Trains until the recipe's epochs are over or its patience is, and leaves the weights of the best epoch in the engine
 * (of the last one without early stopping). Rejects with `training-diverged` when a loss or a weight is not finite, and
 * with `training-interrupted` when `signal` aborts.
 */
export async function fit(
  engine: TrainingEngine,
  data: TrainingData,
  recipe: Recipe,
  options: FitOptions = {},
): Promise<FitResult> {
  const { past = { standing: BEGINNING, bestState: null, history: [] } } = options;
  const sample = select(data.examples, shuffled(data.train, recipe.seed, 0).subarray(0, TRAINING_SAMPLE));
  const validationExamples = select(data.examples, data.validation);
  const history = [...past.history];
  let { standing, bestState } = past;

  while (!isOver(standing, recipe)) {
    const epoch = standing.epoch + 1;
    const trained = await trainOneEpoch(engine, data, recipe, epoch, standing.reductions, history.at(-1), options);
    const [{ training, validation }, evaluationSeconds] = await timed(async () => ({
      training: await evaluate(engine, sample),
      validation: await evaluate(engine, validationExamples),
    }));
    refuseNonFiniteLosses({ training, validation }, epoch, stepsPerEpoch(data, recipe), trained.learningRate);
    standing = afterEpoch(standing, recipe, { ...trained, validation });
    const [state, checkpointSeconds] = await timed(async () => {
      const state = await engine.snapshot();
      refuseNonFinite(state, { epoch, ...trained });
      await options.onCheckpoint?.({ standing, state });
      return state;
    });
    if (standing.bestEpoch === epoch) bestState = state;
    const report = { epoch, ...trained, training, validation, evaluationSeconds, checkpointSeconds };
    history.push(report);
    await options.onEpoch?.(report);
  }
  if (bestState !== null) await engine.restore(bestState);
  return { history, bestEpoch: standing.bestEpoch ?? standing.epoch };
}

async function trainOneEpoch(
  engine: TrainingEngine,
  data: TrainingData,
  recipe: Recipe,
  epoch: number,
  reductions: number,
  previous: EpochReport | undefined,
  { teacher, signal, onProgress }: FitOptions,
) {
  const [examples, preparationSeconds] = await timed(async () => {
    const drawn = trainingExamples(data, recipe, epoch);
    return (await teacher?.teach(drawn)) ?? drawn;
  });
  const steps = stepsPerEpoch(data, recipe);
  const rates = learningRates(recipe, epoch - 1, steps, reductions);
  const started = performance.now();
  const secondsSoFar = () => (performance.now() - started) / 1000;
  let totalLoss = 0;

  for (let step = 0; step < steps; step += engine.preferredSteps) {
    const end = Math.min(step + engine.preferredSteps, steps);
    const chunk = sliceTraining(examples, step * recipe.batchSize, Math.min(end * recipe.batchSize, examples.count));
    const losses = await engine.train(chunk, rates.subarray(step, end));
    losses.forEach((loss, index) => {
      if (!Number.isFinite(loss)) throw diverged('The loss', loss, epoch, step + index + 1, rates[step + index]);
      totalLoss += loss;
    });
    const images = Math.min(end * recipe.batchSize, examples.count);
    onProgress?.({
      epoch,
      epochs: recipe.epochs,
      step: end,
      stepsPerEpoch: steps,
      loss: totalLoss / end,
      imagesPerSecond: images / secondsSoFar(),
      validationAccuracy: previous?.validation.accuracy ?? null,
    });
    await nextTurn(); // signals and timers get their turn between chunks
    if (signal?.aborted) {
      throw new DomainError('training-interrupted', `Interrupted in epoch ${epoch} after step ${end} of ${steps}.`);
    }
  }
  const seconds = secondsSoFar();
  return {
    trainingLoss: totalLoss / steps,
    learningRate: rates.at(-1) ?? 0,
    imagesPerSecond: examples.count / seconds,
    seconds,
    preparationSeconds,
  };
}

function stepsPerEpoch({ train }: TrainingData, { batchSize }: Recipe): number {
  return Math.ceil(train.length / batchSize);
}

/** What `work` resolves to, and how many seconds it took. */
async function timed<Result>(work: () => Promise<Result>): Promise<[Result, number]> {
  const started = performance.now();
  const result = await work();
  return [result, (performance.now() - started) / 1000];
}

function diverged(what: string, loss: number, epoch: number, step: number, rate: number | undefined): DomainError {
  return new DomainError(
    'training-diverged',
    `${what} is ${loss} in epoch ${epoch}, step ${step}, at learning rate ${rate ?? 0}; a lower learning rate may help.`,
  );
}

/** Weights can be finite that are too large to compute with: after the last step only an evaluation shows it. */
function refuseNonFiniteLosses(
  { training, validation }: Record<'training' | 'validation', Evaluation>,
  epoch: number,
  step: number,
  rate: number,
): void {
  for (const [what, { loss }] of [
    ['The loss on training images', training],
    ['The validation loss', validation],
  ] as const) {
    if (!Number.isFinite(loss)) throw diverged(what, loss, epoch, step, rate);
  }
}

/** A loss can stay finite over weights that are not: WebAssembly's relu turns NaN into 0. */
function refuseNonFinite(state: EngineState, { epoch, learningRate }: { epoch: number; learningRate: number }): void {
  const broken = Object.entries(state.tensors).find(([, { data }]) => !isFiniteEverywhere(data));
  if (broken === undefined) return;
  throw new DomainError(
    'training-diverged',
    `"${broken[0]}" is no longer finite after epoch ${epoch}, step ${state.steps} of the training, at learning rate ` +
      `${learningRate}; a lower one may help.`,
  );
}

/** A loop, since a call per weight would take longer than writing them all to the disk. */
function isFiniteEverywhere(data: Float32Array): boolean {
  for (const value of data) {
    if (!Number.isFinite(value)) return false;
  }
  return true;
}
