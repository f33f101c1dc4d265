export { differentiate, type Differentiated, type Differentiation } from './differentiate.ts';
export { GraphBuilder } from './graph-builder.ts';
export { DIFFERENTIABLE } from './operators/index.ts';
export type { TensorType } from './shapes.ts';
