import type { PublishedVersion } from '@atelier/model-repository';

/** What a model computes on. */
export type Device = 'cpu';

/** Computes class probabilities with one published version. */
export interface Predictor {
  readonly version: PublishedVersion;
  readonly device: Device;
  /** False while a failed engine is being replaced and after `close`. */
  readonly ready: boolean;
  /**
   * Takes images [count, 28, 28], row-major, 0 to 255, count at least 1; resolves to probabilities [count, 10] whose
   * rows sum to 1. Rejects with `not-ready`, `shutting-down`, or `engine-fault` when the engine fails or gives no number.
   */
  predict(images: Uint8Array): Promise<Float32Array>;
  /** Answers what is in flight, then releases the engine. */
  close(): Promise<void>;
}
