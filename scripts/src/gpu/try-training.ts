import { loadFashionMnist, select, sliceTraining, withTargets } from '@atelier/fashion-mnist';
import { chooseEngine, type ChosenEngine, type EpochReport, findRecipe, fit, trainingData } from '@atelier/trainer';
import type { TrialResult, TrialTask } from './trial.ts';

const RECIPE = findRecipe('deep-bn');

/** Steps whose losses are compared, and images whose logits are. */
const COMPARED_STEPS = 5;
const COMPARED_IMAGES = 64;

/** Images, where it is to be quick. */
const QUICK_LIMIT = 300;

/** `deep-bn` on real images with one engine on one device: a few steps to compare, and then epochs to measure. */
export async function tryTraining({ subject, isQuick, epochs, dataset }: TrialTask): Promise<TrialResult> {
  const engine = await chooseEngine(subject.engine, subject.device);
  const { train } = await loadFashionMnist({ ...dataset, onNotice: () => undefined });
  const recipe = { ...RECIPE, epochs, earlyStopping: null };
  const data = trainingData({ train } as Parameters<typeof trainingData>[0], recipe, isQuick ? QUICK_LIMIT : null);
  const numbers = await firstSteps(
    engine,
    select(data.examples, data.train.subarray(0, COMPARED_STEPS * recipe.batchSize)),
  );
  const training = await engine.create(recipe);
  const reports: EpochReport[] = [];
  try {
    await fit(training, data, recipe, { onEpoch: async (report) => void reports.push(report) });
  } finally {
    await training.dispose();
  }
  const settled = reports.slice(1); // sessions and shaders are made in the first
  const seconds = settled.reduce((sum, report) => sum + report.seconds, 0);
  return {
    measured: {
      imagesPerSecondAlone: null,
      imagesPerSecond: (settled.length * data.train.length) / seconds,
      hostPeakBytes: process.resourceUsage().maxRSS * 1024, // Node gives KiB on every system
      validationAccuracy: reports.at(-1)?.validation.accuracy ?? null,
    },
    numbers,
  };
}

/** The logits of the network before it has learned, and the losses of its first steps, dropout included. */
async function firstSteps({ create }: ChosenEngine, examples: ReturnType<typeof select>): Promise<number[]> {
  const engine = await create(RECIPE);
  try {
    const all = withTargets(examples, 0);
    const logits = await engine.logits(sliceTraining(all, 0, COMPARED_IMAGES));
    const losses = await engine.train(all, new Float32Array(COMPARED_STEPS).fill(RECIPE.optimizer.learningRate));
    return [...logits, ...losses];
  } finally {
    await engine.dispose();
  }
}
