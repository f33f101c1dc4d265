import type { ErrorCode } from '@atelier/domain';
import type { Predictor } from '../predictor/predictor.ts';

/**
 * What the parts of the service tell of their work. Whoever listens only adds numbers: no call takes long, throws or
 * keeps what it is given. Times are in ms.
 */

/** Why a batch was computed and did not wait for more rows. */
export const CLOSE_REASONS = ['full', 'idle', 'delay'] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

/** Where a request was when its client left. */
export const CANCEL_STAGES = ['decode', 'queue', 'batch'] as const;
export type CancelStage = (typeof CANCEL_STAGES)[number];

/** A batch that has been computed. */
export interface ClosedBatch {
  model: string;
  version: number;
  reason: CloseReason;
  /** Rows that somebody asked for. */
  rows: number;
  /** Rows that were computed: those and the padding, at least `rows`. */
  bucket: number;
  /** Of each request with rows in the batch, from `predict` to the closing of the batch. */
  queueMs: readonly number[];
  /** Copying the rows together; 0 where that is not measured. */
  inputMs: number;
  /** The run itself. */
  computeMs: number;
  /** Cutting the outputs up; 0 where that is not measured. */
  outputMs: number;
}

/** Told by the batcher, the decoder and the engines. */
export interface BatchObserver {
  closed(batch: ClosedBatch): void;
  cancelled(stage: CancelStage): void;
  /** A refusal that does not come out of `Predictor.predict`, such as the decoder's; those that do are seen there. */
  refused(code: ErrorCode): void;
  /** An image file has become an image, queue of the decoder included. */
  decoded(durationMs: number): void;
  /** `reason` is one of few words, such as `stuck`, `died` or `memory`: it becomes a label. */
  engineRestarted(reason: string): void;
}

/** Told by whoever decides which version answers. */
export interface ModelsObserver {
  /** Another version has become the stable one of its model. */
  swapped(model: string): void;
  /** A version was tried and is not served. */
  versionRefused(model: string, code: ErrorCode): void;
  /** The answer of a shadow was compared with the one that was sent. */
  shadowCompared(agreed: boolean): void;
  /**
   * The same predictor, observed: its requests, rows, durations, failures by code, classes and confidences, and its
   * device until it is closed. For each predictor that answers requests, once, where it is loaded.
   */
  observed(predictor: Predictor): Predictor;
}

export type InferenceObserver = BatchObserver & ModelsObserver;

/** What waits now; asked at each scrape. */
export interface QueueState {
  /** Of the batcher. */
  requests: number;
  rows: number;
  /** Image files that wait for the decoder or are in it. */
  decoding: number;
}

const ignore = () => undefined;

/** For whoever measures nothing. */
export const UNOBSERVED: InferenceObserver = {
  closed: ignore,
  cancelled: ignore,
  refused: ignore,
  decoded: ignore,
  engineRestarted: ignore,
  swapped: ignore,
  versionRefused: ignore,
  shadowCompared: ignore,
  observed: (predictor) => predictor,
};
