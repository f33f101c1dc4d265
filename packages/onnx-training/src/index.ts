export { differentiate, type Differentiated, type Differentiation } from './differentiate.ts';
export { GraphBuilder, type Term } from './graph-builder.ts';
export { dense } from './layers.ts';
export { crossEntropy, softCrossEntropy } from './losses.ts';
export { DIFFERENTIABLE, WITHOUT_GRADIENT } from './operators/index.ts';
export type { Optimizer, OptimizerChoice, OptimizerKind, OptimizerSettings } from './optimizers/optimizer-settings.ts';
export type { TensorType } from './shapes.ts';
export { subgraph } from './subgraph.ts';
export { mergedTrainingStep, type MergeOptions } from './merged-training-step.ts';
export { LEARNING_RATES, LOSSES, trainingLoop } from './training-loop.ts';
export { trainingModel } from './training-model.ts';
export type { StateUpdate, TrainingOptions } from './training-options.ts';
export {
  initialState,
  namedState,
  type NamedValues,
  nextState,
  type StatePart,
  type StateVariable,
  updatedName,
} from './training-state.ts';
export { LEARNING_RATE, STEP_COUNT, trainingStep, type TrainingStep } from './training-step.ts';
