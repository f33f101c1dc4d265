import type { PublishedVersion } from '@atelier/model-repository';
import type { ExplainMethod, Explanation } from '../explain/explanation.ts';

/** What a model can compute on. */
export const DEVICES = ['cpu', 'cuda', 'webgpu'] as const;
export type Device = (typeof DEVICES)[number];

/** What was asked for, what computes, and why they differ where they do. */
export interface DeviceClaim {
  requested: Device | 'auto';
  /** Proved by the runtime when the model was loaded, not believed. */
  actual: Device;
  /** Why `auto` did not take a better device; null where it took the best one, or none was to be chosen. */
  reason: string | null;
}

/**
 * Whose turn is first: requests of people and programs that wait; variations of their images, by which a prediction is
 * explained; the batches of an evaluation; and copies of requests that another version answers, for which nobody waits. They
 * share no batches.
 */
export const PRIORITIES = ['online', 'explain', 'bulk', 'copy'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Those that count as requests. */
export const COUNTED: ReadonlySet<Priority> = new Set(['online', 'bulk']);

export interface PredictOptions {
  /** Gives the request up: out of the queue at once, and without an answer where it is being computed. */
  signal?: AbortSignal;
  /** When the answer is of no use any more, in ms as `performance.now` counts them. Default: never. */
  deadline?: number;
  /** Default: `online`. */
  priority?: Priority;
  /** Whether the caller bounds what it has in work itself, so that it takes no room in the queue. Default: false. */
  isBounded?: boolean;
  /**
   * Is told how long the parts of the request took, in ms: `queue_ms` until its batch was closed, `infer_ms` of that batch, and
   * of all `predict_ms`; of explanations alone `explain_ms`.
   */
  timings?: Record<string, number>;
  /**
   * The rows that are answered, where others are computed only to choose between them: what counts answers counts these.
   * Default: all.
   */
  answeredRows?: (outputs: Outputs) => readonly number[];
}

/** A row for each image; the first two are [count, 10]. */
export interface Outputs {
  logits: Float32Array;
  /** Each row sums to 1. */
  probabilities: Float32Array;
  /** [count], how unlike the training images each is; absent where the version does not say (`OUTLIER_SCORE`). */
  outlierScores?: Float32Array;
}

export interface ExplainedOutputs {
  /** Those that were given; where the version that gave them was released since, those of the one that explains. */
  outputs: Outputs;
  /** One for each image. */
  explanations: Explanation[];
}

/** Computes with one published version. */
export interface Predictor {
  readonly version: PublishedVersion;
  readonly device: DeviceClaim;
  /** False while a failed engine is being replaced, when the service stops, and after `close`. */
  readonly ready: boolean;
  /**
   * Takes images [count, 28, 28], row-major, 0 to 255, count at least 1. Rejects with `not-ready`, `shutting-down`,
   * `overloaded`, `deadline-exceeded`, the reason of an aborted `signal`, `engine-lost` when the engine died over it, or
   * `engine-fault` when it gives no numbers.
   */
  predict(images: Uint8Array, options?: PredictOptions): Promise<Outputs>;
  /**
   * Explains what it computed of images [count, 28, 28]. Behind all requests, and counts as none. Rejects as `predict` does, and
   * with `not-differentiable` where the method needs a gradient that the version does not have.
   */
  explain(
    images: Uint8Array,
    outputs: Outputs,
    method: ExplainMethod,
    options?: PredictOptions,
  ): Promise<ExplainedOutputs>;
  /** Answers what is in flight, then releases the engine. */
  close(): Promise<void>;
}
