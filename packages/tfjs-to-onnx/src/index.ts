export { ACTIVATIONS, SUPPORTED_ACTIVATIONS } from './activations.ts';
export { joinGroups, readModelJson } from './artifacts.ts';
export type { LayersModelArtifacts, ModelJson, WeightGroup, WeightSpec } from './artifacts.ts';
export * from './convert.ts';
export type { Semantics } from './dialect.ts';
export { LAYER_RULES, RULE_TABLES, SUPPORTED_LAYERS } from './layer-rules.ts';
export { weightBytes } from './weight-bytes.ts';
