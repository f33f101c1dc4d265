export * from './classes.ts';
export * from './classification-metrics.ts';
export * from './errors.ts';
export * from './image-geometry.ts';
export * from './manifest.ts';
export * from './published-graph.ts';
export * from './recipe.ts';
