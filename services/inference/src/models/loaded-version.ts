import type { PublishedVersion } from '@atelier/model-repository';
import type { Predictor } from '../predictor/predictor.ts';

/** A version in memory. */
export interface LoadedVersion {
  readonly predictor: Predictor;
  /** It answers what it has, and takes nothing new. */
  draining: boolean;
}

/** A folder can be published again under its number: what is known of one content is not of the other. */
export function identityOf({ name, version, manifest }: PublishedVersion): string {
  return `${name}/${version} ${manifest.digest}`;
}

export function nameOf({ name, version }: { name: string; version: number }): string {
  return `${name}/${version}`;
}
