import { type Access, type AccessKey, accessKeys, createAccess } from '@atelier/http';

/** What a key may: ask for predictions and read what models there are, read `/metrics`, and change what is served. */
export const SCOPES = ['infer', 'metrics', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export type InferenceAccess = Access<Scope>;

/** The setting `INFERENCE_API_KEYS`. */
export const ApiKeys = accessKeys(SCOPES);

/**
 * Without keys whoever reaches the service may ask it, and nobody may change what it serves: a prediction is what it is
 * there for, and costs what its queue and its limits let it; other models would be somebody else's answers. Who reaches
 * it is decided by `INFERENCE_HOST`, loopback by default. With keys every scope needs one that has it.
 */
export function inferenceAccess(keys: readonly AccessKey<Scope>[]): InferenceAccess {
  return createAccess({ keys, openWithoutKeys: ['infer', 'metrics'], variable: 'INFERENCE_API_KEYS' });
}
