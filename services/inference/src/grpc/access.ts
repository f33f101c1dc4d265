import type { Scope } from '../access.ts';
import { type MethodName, SERVICE_NAME } from './service.ts';

/** What each method takes, as its counterpart over HTTP does; `open`: whoever asks whether the service lives is told. */
const SCOPES: Record<MethodName, Scope | 'open'> = {
  ServerLive: 'open',
  ServerReady: 'open',
  ModelReady: 'infer',
  ServerMetadata: 'infer',
  ModelMetadata: 'infer',
  ModelInfer: 'infer',
  ModelConfig: 'infer',
  ModelStatistics: 'infer',
  RepositoryIndex: 'infer',
  RepositoryModelLoad: 'admin',
  RepositoryModelUnload: 'admin',
};

const SCOPES_OF_PATHS = new Map(Object.entries(SCOPES).map(([method, scope]) => [`/${SERVICE_NAME}/${method}`, scope]));

/** The path of the one method whose messages are large. */
export const INFER_PATH = `/${SERVICE_NAME}/ModelInfer`;

/** Whether a path is a method of the protocol, and not of health or reflection. */
export function isInference(path: string): boolean {
  return SCOPES_OF_PATHS.has(path);
}

/** The scope of a path such as `/inference.GRPCInferenceService/ModelInfer`; the schema is told to whoever may ask. */
export function scopeOf(path: string): Scope | 'open' {
  if (isHealth(path)) return 'open';
  return SCOPES_OF_PATHS.get(path) ?? 'infer';
}

export function isHealth(path: string): boolean {
  return path.startsWith('/grpc.health.v1.Health/');
}
