import type { Recipe } from '@atelier/domain';
import * as tf from '@tensorflow/tfjs-core';
import { clipToGlobalNorm } from './gradient-clipping.ts';
import { createOptimizer, readSlots, setLearningRate, type SlotMap, writeSlots } from './optimizer-slots.ts';

/** Takes optimiser steps on the trainable variables of one network. */
export interface OptimizerStep {
  /** `lossGradients` by variable name. */
  apply(lossGradients: tf.NamedTensorMap, learningRate: number): void;
  /** The optimiser's own tensors by name, for the caller to dispose; without moments before the first step. */
  slots(): Promise<SlotMap>;
  /** Goes on from `slots`, which stay the caller's. A `RangeError` names the first one that is missing or does not fit. */
  restore(slots: SlotMap): Promise<void>;
  dispose(): void;
}

/** A trainable variable and the name that its slots have. */
export interface NamedVariable {
  name: string;
  variable: tf.Variable;
}

/** The recipe's optimiser with its gradient clipping and, after it, its weight decay. */
export function optimizerStep(recipe: Recipe, trainable: NamedVariable[]): OptimizerStep {
  const { weightDecay, gradientClipping, optimizer: settings } = recipe;
  let optimizer = createOptimizer(settings);
  const decayed = trainable.filter(
    ({ name }) => weightDecay.kind !== 'none' && (weightDecay.appliesTo === 'all' || name.endsWith('/kernel')),
  );

  return {
    apply(lossGradients, learningRate) {
      tf.tidy(() => {
        const gradients =
          gradientClipping === null
            ? { ...lossGradients }
            : clipToGlobalNorm(lossGradients, gradientClipping.globalNorm);
        for (const { variable } of decayed) {
          if (weightDecay.kind === 'decoupled') {
            variable.assign(tf.mul(variable, 1 - learningRate * weightDecay.rate));
          } else if (weightDecay.kind === 'l2') {
            const gradient = gradients[variable.name];
            if (gradient) gradients[variable.name] = tf.add(gradient, tf.mul(variable, weightDecay.rate));
          }
        }
        setLearningRate(optimizer, learningRate);
        optimizer.applyGradients(gradients);
      });
    },
    slots: () => readSlots(optimizer, settings.kind, trainable),
    async restore(slots) {
      const next = createOptimizer(settings); // tfjs forgets to dispose slots that it replaces
      try {
        await writeSlots(next, settings.kind, trainable, slots);
      } catch (error) {
        next.dispose();
        throw error;
      }
      optimizer.dispose();
      optimizer = next;
    },
    dispose: () => optimizer.dispose(),
  };
}
