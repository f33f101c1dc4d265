export type { ValueFacts } from './facts.ts';
export { factsOf, inferGraph, inferNode } from './infer.ts';
export { broadcastShapes, elementsOf, remainingSize } from './sizes.ts';
