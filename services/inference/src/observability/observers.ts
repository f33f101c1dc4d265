import type { ErrorCode } from '@atelier/domain';
import type { PublishedVersion } from '@atelier/model-repository';
import type { Predictor } from '../predictor/predictor.ts';

/** A batch that has been computed, as the batcher tells it. Times are in ms. */
export interface MeasuredBatch {
  version: PublishedVersion;
  /** Why it was computed and did not wait for more rows: one of few words. */
  reason: string;
  /** Rows that somebody asked for, and those that were computed: with the padding. */
  rows: number;
  bucket: number;
  /** How long each request with rows in the batch had waited when it was closed. */
  queueMs: readonly number[];
  /** From then until its outputs had arrived. */
  computeMs: number;
}

/**
 * What the parts of the service tell of their work; each of them declares the part that it calls. Whoever listens only
 * adds numbers: no call takes long, throws or keeps what it is given.
 */
export interface InferenceObserver {
  computed(batch: MeasuredBatch): void;
  /** `stage` is where the request was when its client left: `decode`, `queue` or `batch`. */
  cancelled(stage: string): void;
  /** An image file has become an image, waiting included. */
  decoded(durationMs: number): void;
  /** There was no room for a request, before a model had it: its body was not read, or its picture not decoded. */
  turnedAway(code: ErrorCode): void;
  /** An engine was lost and is being replaced. */
  restarted(reason: string): void;
  /** Another version of a model answers from now on, or none. */
  swapped(model: string): void;
  /** A version failed a check and is not served. */
  refused(version: { name: string; version: number }, code: ErrorCode): void;
  /** A copy of a request was computed by the canary and compared with what was answered. */
  compared(canary: PublishedVersion, comparison: { images: number; disagrees: number }): void;
  shadowDropped(canary: PublishedVersion): void;
  shadowFailed(canary: PublishedVersion, code: ErrorCode): void;
  /**
   * The same predictor, observed: its requests, rows, durations, failures by code, classes and confidences, and its
   * device until it is closed. For each predictor that answers requests, once, where it is loaded.
   */
  observed(predictor: Predictor): Predictor;
}

/** What waits now: image files for the decoder, rows for a batch. */
export interface WaitingWork {
  pictures: number;
  rows: number;
}
