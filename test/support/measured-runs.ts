import type { Recipe } from '@atelier/domain';
import type { MeasuredRun } from '../../scripts/src/recipe-runs/measured-run.ts';

export const MACHINE = {
  processor: 'Abacus 2000',
  cores: 2,
  memoryGiB: 8,
  system: 'linux x64',
  node: '20.19.0',
  onnxruntime: '1.30.0',
};

/** A finished run that nobody made, of a row of a table, with the accuracies given. */
export function measuredRunOf(row: string, recipe: Recipe, accuracy: MeasuredRun['accuracy']): MeasuredRun {
  return {
    row,
    seed: recipe.seed,
    recipe,
    onnxruntime: MACHINE.onnxruntime,
    run: `${row}-${recipe.seed}`,
    device: 'onnx, cpu, 2 threads',
    limit: null,
    accuracy,
    epochs: recipe.epochs,
    bestEpoch: recipe.epochs,
    trainingSeconds: 2 * recipe.epochs,
    seconds: 3 * recipe.epochs,
    modelBytes: 1_000_000,
    startedAt: '2026-01-31T12:00:00.000Z',
    validationLosses: Array.from({ length: recipe.epochs }, (_, epoch) => 0.5 + 0.1 * Math.abs(epoch - 1)),
  };
}
