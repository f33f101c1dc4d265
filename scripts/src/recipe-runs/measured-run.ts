import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Recipe } from '@atelier/domain';
import type { TrainingResult } from '@atelier/trainer';
import { z } from 'zod';

const accuracy = z.number().min(0).max(1);

/** What one run of one row of a table came to. */
export const MeasuredRun = z.strictObject({
  row: z.string(),
  seed: z.int().min(0),
  recipe: Recipe.describe('With the seed in it; a default that came later is filled in'),
  onnxruntime: z.string().describe('Its version'),
  run: z.string().describe('Its id, the name of its folder'),
  device: z.string().describe('Engine and device'),
  limit: z.int().positive().nullable().describe('Training images used where not all were'),
  accuracy: z
    .strictObject({ train: accuracy, validation: accuracy, test: accuracy })
    .describe('Of the exported model, in inference mode'),
  epochs: z.int().positive().describe('Trained'),
  bestEpoch: z.int().positive().describe('Whose weights were measured, counted from 1'),
  trainingSeconds: z.number().min(0).describe('Of all epochs, without validation'),
  seconds: z.number().min(0).describe('Of the whole run, with validation, export and evaluation'),
  modelBytes: z.int().positive(),
  startedAt: z.iso.datetime(),
  validationLosses: z.array(z.number()).describe('After each epoch, in nats'),
});
export type MeasuredRun = z.infer<typeof MeasuredRun>;

export async function measuredRun(
  row: string,
  { run, directory, history, manifest }: TrainingResult,
): Promise<MeasuredRun> {
  const { train, validation, test } = manifest.metrics;
  const startedAt = Date.parse(run.startedAt);
  return {
    row,
    seed: run.recipe.seed,
    recipe: run.recipe,
    onnxruntime: manifest.software['onnxruntime-node'] ?? 'unknown',
    run: run.id,
    device: `${run.engine.name}, ${run.engine.device}`,
    limit: run.data.limit,
    accuracy: { train: train.accuracy, validation: validation.accuracy, test: test.accuracy },
    epochs: history.length,
    bestEpoch: manifest.training.bestEpoch,
    trainingSeconds: manifest.training.seconds,
    seconds: (Date.parse(run.endedAt ?? run.startedAt) - startedAt) / 1000,
    modelBytes: (await stat(join(directory, 'model.onnx'))).size,
    startedAt: run.startedAt,
    validationLosses: history.map((epoch) => epoch.validation.loss),
  };
}
