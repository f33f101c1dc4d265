import type { Optimizer, Recipe } from '@atelier/domain';
import * as tf from '@tensorflow/tfjs-core';

/** Takes optimiser steps on the trainable variables of one network. */
export interface OptimizerStep {
  /** `gradients` by variable name, which it takes over. */
  apply(gradients: tf.NamedTensorMap, learningRate: number): void;
  /** The optimiser's own tensors, in a fixed order. */
  state(): Promise<tf.Tensor[]>;
  restore(state: tf.Tensor[]): Promise<void>;
  dispose(): void;
}

/** The recipe's optimiser with its weight decay. `kernels` names the variables that are dense kernels. */
export function optimizerStep(recipe: Recipe, variables: tf.Variable[], kernels: ReadonlySet<string>): OptimizerStep {
  const optimizer = tfjsOptimizer(recipe.optimizer);
  const { weightDecay } = recipe;
  const decays = (variable: tf.Variable) =>
    weightDecay.kind !== 'none' && (weightDecay.appliesTo === 'all' || kernels.has(variable.name));
  const decayed = variables.filter(decays);

  return {
    apply(gradients, learningRate) {
      tf.tidy(() => {
        for (const variable of decayed) {
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
    async state() {
      return (await optimizer.getWeights()).map(({ tensor }) => tensor);
    },
    async restore(state) {
      // tfjs reads the number of steps from the first and takes the rest in order; the names are not read.
      await optimizer.setWeights(state.map((tensor, index) => ({ name: `slot_${index}`, tensor })));
    },
    dispose: () => optimizer.dispose(),
  };
}

function tfjsOptimizer(optimizer: Optimizer): tf.Optimizer {
  const rate = optimizer.learningRate;
  switch (optimizer.kind) {
    case 'sgd':
      return tf.train.sgd(rate);
    case 'momentum':
      return tf.train.momentum(rate, optimizer.momentum, optimizer.nesterov);
    case 'rmsprop':
      return tf.train.rmsprop(rate, optimizer.decay, optimizer.momentum, optimizer.epsilon);
    case 'adam':
      return tf.train.adam(rate, optimizer.beta1, optimizer.beta2, optimizer.epsilon);
  }
}

/**
 * tfjs declares `learningRate` protected and reads it anew at every step; SGD and momentum also keep it as a tensor behind
 * a setter. (instanceof is of no use here: tfjs takes every optimiser for an instance of every optimiser class.)
 */
function setLearningRate(optimizer: tf.Optimizer, learningRate: number): void {
  if (hasSetter(optimizer)) optimizer.setLearningRate(learningRate);
  else (optimizer as unknown as { learningRate: number }).learningRate = learningRate;
}

function hasSetter(optimizer: tf.Optimizer): optimizer is tf.SGDOptimizer {
  return 'setLearningRate' in optimizer;
}
