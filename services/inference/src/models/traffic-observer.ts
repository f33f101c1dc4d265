import type { ErrorCode } from '@atelier/domain';
import type { PublishedVersion } from '@atelier/model-repository';
import type { Comparison } from './compare-outputs.ts';

/** Is told what happens to versions, to count it. It must not throw. */
export interface TrafficObserver {
  /** The canary computed a copy of a request that the stable version answered. */
  compared(canary: PublishedVersion, comparison: Comparison): void;
  /** A copy was not computed, because it would have waited. */
  shadowDropped(canary: PublishedVersion): void;
  /** The canary failed over a copy. */
  shadowFailed(canary: PublishedVersion, code: ErrorCode): void;
  /** Another version of a model answers from now on; undefined: none did before, or none does now. */
  swapped(name: string, to: PublishedVersion | undefined, from: PublishedVersion | undefined): void;
  /** A version failed a check when it was to be loaded, or its manifest cannot be read. */
  refused(version: { name: string; version: number }, code: ErrorCode): void;
}

export const NOBODY: TrafficObserver = {
  compared: () => undefined,
  shadowDropped: () => undefined,
  shadowFailed: () => undefined,
  swapped: () => undefined,
  refused: () => undefined,
};
