import type { PublishedVersion } from '@atelier/model-repository';
import type { Device, Predictor } from '../predictor/predictor.ts';

/** Names that operators move from version to version: `stable` answers, `canary` is tried on a share of the requests. */
export const LABELS = ['stable', 'canary'] as const;
export type Label = (typeof LABELS)[number];

/** What a caller says about who shall answer; what is left out, the service decides. */
export interface ModelChoice {
  /** Default: the service's own model. */
  name?: string | undefined;
  /** Excludes `label`. */
  version?: number | undefined;
  label?: Label | undefined;
  /** Decides which requests go to the canary: the same id, the same version. */
  requestId?: string | undefined;
}

/** The words of the Open Inference Protocol's repository index. */
export const VERSION_STATES = ['READY', 'LOADING', 'UNLOADING', 'UNAVAILABLE'] as const;
export type VersionState = (typeof VERSION_STATES)[number];

/** What has become of one version in the repository. */
export interface VersionStatus {
  version: PublishedVersion;
  state: VersionState;
  /** Empty where there is nothing to say; else for example the code and the words of the check that it failed. */
  reason: string;
  /** What it computes on, where it is in memory. */
  device?: Device;
  labels: readonly Label[];
}

/** Every version that this process serves or could serve. */
export interface Models {
  /**
   * Who answers: `model-not-found` where there is no such model or version, `not-ready` where it is not loaded, and after
   * `close` `shutting-down`. From `announceStop` on it answers and is not `ready`.
   */
  choose(choice: ModelChoice): Predictor;
  /** The stable version of the service's own model, for a caller who could go elsewhere: `shutting-down` from `announceStop` on. */
  readyPredictor(): Predictor;
  /** By name, then ascending by version. */
  statuses(): readonly VersionStatus[];
  /**
   * Loads a version (default: the newest), also one that failed before, and keeps it. Rejects with `model-not-found`, or
   * with `version-refused` and why it cannot be served.
   */
  load(name: string, version?: number): Promise<void>;
  /**
   * Lets the version (default: all of the model) finish what it has, and releases it; it comes back when `load` asks for
   * it. Idempotent; `model-not-found` where there is no such model.
   */
  unload(name: string, version?: number): Promise<void>;
  /** The service is no longer ready, and still answers what it is asked. */
  announceStop(): void;
  close(): Promise<void>;
}
