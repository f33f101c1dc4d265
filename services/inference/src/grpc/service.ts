export const SERVICE_NAME = 'inference.GRPCInferenceService';

/** The methods of `inference.proto`. */
export const METHODS = [
  'ServerLive',
  'ServerReady',
  'ModelReady',
  'ServerMetadata',
  'ModelMetadata',
  'ModelInfer',
  'ModelConfig',
  'ModelStatistics',
  'RepositoryIndex',
  'RepositoryModelLoad',
  'RepositoryModelUnload',
] as const;
export type MethodName = (typeof METHODS)[number];
