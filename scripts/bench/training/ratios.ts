import { findRecipe } from '@atelier/trainer';
import { type Spread, spread } from '../../src/measurements/statistics.ts';
import type { Figures } from '../benchmark.ts';
import { type MeasuredGoal, roundByRound, valuesOf } from '../goal-table.ts';
import { operationsByCustom, operationsNeeded } from './floating-point-operations.ts';
import type { VariantName } from './variant-names.ts';

const deepBn = findRecipe('deep-bn');

/** A figure that stands against another one of the same run. */
export interface Ratio extends Omit<MeasuredGoal, 'found'> {
  of: (samples: Samples) => Spread;
}

type Samples = Figures['samples'];

/** What the training benchmark is for. Percentages are shares of 1 here. */
export const RATIOS: readonly Ratio[] = [
  {
    title: 'deep-bn, batch 64: share of the matrix peak, by the customary count',
    of: (samples) => shareOfPeak(samples, 'onnx-batch-64', operationsByCustom(deepBn, 64)),
    unit: '%',
    goal: { atLeast: 0.32 },
  },
  {
    title: 'deep-bn, batch 256: share of the matrix peak, by the customary count',
    of: (samples) => shareOfPeak(samples, 'onnx-batch-256', operationsByCustom(deepBn, 256)),
    unit: '%',
    goal: { atLeast: 0.45 },
  },
  {
    title: 'deep-bn, batch 64: share of the matrix peak, by the products needed',
    of: (samples) => shareOfPeak(samples, 'onnx-batch-64', operationsNeeded(deepBn, 64)),
    unit: '%',
    goal: null,
  },
  {
    title: 'deep-bn, batch 256: share of the matrix peak, by the products needed',
    of: (samples) => shareOfPeak(samples, 'onnx-batch-256', operationsNeeded(deepBn, 256)),
    unit: '%',
    goal: null,
  },
  {
    title: 'deep-bn, batch 64: an epoch of tfjs on WebAssembly, as it is published, against one of the ONNX engine',
    of: (samples) => timesOf(samples, 'tfjs-wasm-plain-batch-64'),
    unit: 'times',
    goal: { atLeast: 30 },
  },
  {
    title: 'the same with the products that our tfjs engine brings',
    of: (samples) => timesOf(samples, 'tfjs-wasm-batch-64'),
    unit: 'times',
    goal: null,
  },
  {
    title: 'atelier: most memory that the training process held',
    of: (samples) => spread(valuesOf(samples, 'atelier-epochs', 'peakBytes').map((bytes) => bytes / 1e6)),
    unit: 'MB',
    goal: { atMost: 700 },
  },
  {
    title: "atelier: augmentation's share of an epoch",
    of: augmentationShare,
    unit: '%',
    goal: { atMost: 0.25 },
  },
  {
    title: "atelier: the checkpoint's share of an epoch",
    of: (samples) => checkpointShare(samples, 'atelier-epochs'),
    unit: '%',
    goal: { atMost: 0.05 },
  },
  {
    title: "deep-bn: the checkpoint's share of an epoch",
    of: (samples) => checkpointShare(samples, 'deep-bn-epochs'),
    unit: '%',
    goal: { atMost: 0.05 },
  },
];

/** GFLOP/s, the best of all rounds: a peak that a busier moment hid would flatter every share of it. */
export function matrixPeak(samples: Samples): number {
  return Math.max(...valuesOf(samples, 'matrix-peak', 'gigaflops'));
}

function shareOfPeak(samples: Samples, variant: VariantName, operations: number): Spread {
  const peak = matrixPeak(samples) * 1e9;
  return spread(valuesOf(samples, variant, 'stepMs').map((stepMs) => operations / (stepMs / 1000) / peak));
}

/** How many times the steps of the ONNX engine at batch 64 those of another variant take, round by round. */
function timesOf(samples: Samples, variant: VariantName): Spread {
  return roundByRound(
    valuesOf(samples, variant, 'stepMs'),
    valuesOf(samples, 'onnx-batch-64', 'stepMs'),
    (slower, faster) => slower / faster,
  );
}

/** What an epoch is longer by than one without augmentation: what the augmentation does beside the steps costs nothing. */
function augmentationShare(samples: Samples): Spread {
  return roundByRound(
    valuesOf(samples, 'atelier-epochs-without-augmentation', 'epochSeconds'),
    valuesOf(samples, 'atelier-epochs', 'epochSeconds'),
    (without, complete) => 1 - without / complete,
  );
}

function checkpointShare(samples: Samples, variant: VariantName): Spread {
  return roundByRound(
    valuesOf(samples, variant, 'checkpointSeconds'),
    valuesOf(samples, variant, 'epochSeconds'),
    (checkpoint, epoch) => checkpoint / epoch,
  );
}
