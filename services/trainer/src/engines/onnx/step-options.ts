import type { Recipe } from '@atelier/domain';
import type { TrainingOptions } from '@atelier/onnx-training';
import { LOSS, type TrainingNetwork } from './network.ts';

/** What the recipe says of the optimiser, in the terms of a training step. */
export function stepOptions(recipe: Recipe, { parameters, updates }: TrainingNetwork): TrainingOptions {
  const { weightDecay, gradientClipping, weightAveraging } = recipe;
  return {
    loss: LOSS,
    parameters,
    updates,
    optimizer: recipe.optimizer,
    ...(weightDecay.kind === 'none'
      ? {}
      : {
          weightDecay: {
            kind: weightDecay.kind,
            rate: weightDecay.rate,
            parameters: parameters.filter((name) => weightDecay.appliesTo === 'all' || name.endsWith('/kernel')),
          },
        }),
    ...(gradientClipping === null ? {} : { clipGlobalNorm: gradientClipping.globalNorm }),
    ...(weightAveraging === null ? {} : { averageDecay: weightAveraging.decay }),
  };
}
