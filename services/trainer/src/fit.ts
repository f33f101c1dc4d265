import { setImmediate as nextTurn } from 'node:timers/promises';
import { DomainError, type Recipe } from '@atelier/domain';
import { select, sliceTraining } from '@atelier/fashion-mnist';
import { BestSoFar } from './best-so-far.ts';
import { evaluate, type Evaluation } from './evaluate.ts';
import { learningRates } from './learning-rate.ts';
import { monitored } from './monitored.ts';
import type { EngineState, TrainingEngine } from './training-engine.ts';
import { type TrainingData, trainingExamples } from './training-examples.ts';

export type { TrainingData };

/** Steps between two looks at the clock, the progress bar and Ctrl-C. */
const STEPS_PER_CHUNK = 25;

export interface EpochReport {
  /** Counted from 1. */
  epoch: number;
  /** Mean over the epoch's steps, with dropout and smoothing, in nats. */
  trainingLoss: number;
  validation: Evaluation;
  /** At the epoch's last step. */
  learningRate: number;
  /** Training alone, without validation. */
  imagesPerSecond: number;
  seconds: number;
}

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

export interface FitOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
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
  const history: EpochReport[] = [];
  const validation = select(data.examples, data.validation);
  const plateau = new BestSoFar();
  const best = new BestSoFar(recipe.earlyStopping?.minimumImprovement);
  let bestState: EngineState | null = null;
  let bestEpoch = recipe.epochs;
  let reductions = 0;

  for (let epoch = 1; epoch <= recipe.epochs; epoch++) {
    const trained = await trainOneEpoch(engine, data, recipe, epoch, reductions, history.at(-1), options);
    const report = { epoch, ...trained, validation: await evaluate(engine, validation) };
    const state = await engine.snapshot();
    refuseNonFinite(state, report);
    history.push(report);
    await options.onEpoch?.(report);

    if (recipe.schedule.kind === 'reduce-on-plateau' && !plateau.improves(report.validation.loss)) {
      if (plateau.epochsSince > recipe.schedule.patience) {
        reductions++;
        plateau.restartWaiting();
      }
    }
    if (recipe.earlyStopping === null) continue;
    if (best.improves(monitored(recipe.earlyStopping.monitor, report))) {
      bestEpoch = epoch;
      bestState = state;
    } else if (best.epochsSince >= recipe.earlyStopping.patience) break;
  }
  if (bestState !== null) await engine.restore(bestState);
  return { history, bestEpoch };
}

async function trainOneEpoch(
  engine: TrainingEngine,
  data: TrainingData,
  recipe: Recipe,
  epoch: number,
  reductions: number,
  previous: EpochReport | undefined,
  { signal, onProgress }: FitOptions,
) {
  const examples = trainingExamples(data, recipe, epoch);
  const stepsPerEpoch = Math.ceil(examples.count / recipe.batchSize);
  const rates = learningRates(recipe, epoch - 1, stepsPerEpoch, reductions);
  const started = performance.now();
  const secondsSoFar = () => (performance.now() - started) / 1000;
  let totalLoss = 0;

  for (let step = 0; step < stepsPerEpoch; step += STEPS_PER_CHUNK) {
    const end = Math.min(step + STEPS_PER_CHUNK, stepsPerEpoch);
    const chunk = sliceTraining(examples, step * recipe.batchSize, Math.min(end * recipe.batchSize, examples.count));
    const losses = await engine.train(chunk, rates.subarray(step, end));
    losses.forEach((loss, index) => {
      if (!Number.isFinite(loss)) throw diverged(loss, epoch, step + index + 1, rates[step + index]);
      totalLoss += loss;
    });
    const images = Math.min(end * recipe.batchSize, examples.count);
    onProgress?.({
      epoch,
      epochs: recipe.epochs,
      step: end,
      stepsPerEpoch,
      loss: totalLoss / end,
      imagesPerSecond: images / secondsSoFar(),
      validationAccuracy: previous?.validation.accuracy ?? null,
    });
    await nextTurn(); // signals and timers get their turn between chunks
    if (signal?.aborted) {
      throw new DomainError(
        'training-interrupted',
        `Interrupted in epoch ${epoch} after step ${end} of ${stepsPerEpoch}.`,
      );
    }
  }
  const seconds = secondsSoFar();
  return {
    trainingLoss: totalLoss / stepsPerEpoch,
    learningRate: rates.at(-1) ?? 0,
    imagesPerSecond: examples.count / seconds,
    seconds,
  };
}

function diverged(loss: number, epoch: number, step: number, rate: number | undefined): DomainError {
  return new DomainError(
    'training-diverged',
    `The loss is ${loss} in epoch ${epoch}, step ${step}, at learning rate ${rate ?? 0}; a lower learning rate may help.`,
  );
}

/** A loss can stay finite over weights that are not: WebAssembly's relu turns NaN into 0. */
function refuseNonFinite(state: EngineState, { epoch, learningRate }: { epoch: number; learningRate: number }): void {
  const broken = Object.entries(state.tensors).find(([, { data }]) => !data.every(Number.isFinite));
  if (broken === undefined) return;
  throw new DomainError(
    'training-diverged',
    `"${broken[0]}" is no longer finite after epoch ${epoch} at learning rate ${learningRate}; a lower one may help.`,
  );
}
