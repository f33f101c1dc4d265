import type { PublishedVersion } from '@atelier/model-repository';

/**
 * Why a batch was closed: no more rows fitted, an engine had nothing to do, or the oldest row had waited as long as it may
 * while all engines were busy.
 */
export const CLOSE_REASONS = ['full', 'idle', 'delay'] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

/** Where a request was when its client left. */
export const CANCEL_STAGES = ['decode', 'queue', 'batch'] as const;
export type CancelStage = (typeof CANCEL_STAGES)[number];

/** A batch that has been computed. */
export interface ComputedBatch {
  version: PublishedVersion;
  reason: CloseReason;
  /** Of requests, and with the padding. */
  rows: number;
  bucket: number;
  /** How long each request of it had waited when it was closed. */
  queueMs: readonly number[];
  /** From then until its outputs had arrived. */
  computeMs: number;
}

/** What batching tells those who measure. Called often: be quick. */
export interface BatchObserver {
  /** Of those that count as requests. */
  computed(batch: ComputedBatch): void;
  cancelled(stage: CancelStage): void;
}
