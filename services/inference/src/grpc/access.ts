import type { Scope } from '../access.ts';
import { type MethodName, SERVICE_NAME } from './service.ts';

/** Any of these scopes lets a caller in; none: whoever asks whether the service lives is told. */
type Wanted = readonly Scope[];

/** What each method takes, as its counterpart over HTTP does. */
const SCOPES: Record<MethodName, Wanted> = {
  ServerLive: [],
  ServerReady: [],
  ModelReady: ['infer'],
  ServerMetadata: ['infer'],
  ModelMetadata: ['infer'],
  ModelInfer: ['infer'],
  ModelConfig: ['infer'],
  ModelStatistics: ['infer'],
  RepositoryIndex: ['infer', 'admin'],
  RepositoryModelLoad: ['admin'],
  RepositoryModelUnload: ['admin'],
};

const SCOPES_OF_PATHS = new Map(
  Object.entries(SCOPES).map(([method, scopes]) => [`/${SERVICE_NAME}/${method}`, scopes]),
);

/** The path of the one method whose messages are large. */
export const INFER_PATH = `/${SERVICE_NAME}/ModelInfer`;

/** Whether a path is a method of the protocol, and not of health or reflection. */
export function isInference(path: string): boolean {
  return SCOPES_OF_PATHS.has(path);
}

/** What a path such as `/inference.GRPCInferenceService/ModelInfer` takes; the schema is told to whoever may ask. */
export function scopesOf(path: string): Wanted {
  if (isHealth(path)) return [];
  return SCOPES_OF_PATHS.get(path) ?? ['infer'];
}

export function isHealth(path: string): boolean {
  return path.startsWith('/grpc.health.v1.Health/');
}
