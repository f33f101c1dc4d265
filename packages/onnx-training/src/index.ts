export { differentiate, type Differentiated, type Differentiation } from './differentiate.ts';
export { GraphBuilder, type Term } from './graph-builder.ts';
export { crossEntropy, softCrossEntropy } from './losses.ts';
export { DIFFERENTIABLE } from './operators/index.ts';
export type { Optimizer, OptimizerKind } from './optimizers/optimizer.ts';
export type { TensorType } from './shapes.ts';
export { LEARNING_RATES, LOSSES, trainingLoop } from './training-loop.ts';
export {
  LEARNING_RATE,
  type StateUpdate,
  type StateVariable,
  STEP_COUNT,
  trainingStep,
  type TrainingOptions,
  type TrainingStep,
  updatedName,
} from './training-step.ts';
