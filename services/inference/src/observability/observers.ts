import type { TrafficObserver } from '../models/traffic-observer.ts';
import type { EngineObserver } from '../predictor/engine.ts';
import type { Predictor } from '../predictor/predictor.ts';

/**
 * What the parts of the service tell of their work; each of them declares the part that it calls. Whoever listens only
 * adds numbers: no call takes long, throws or keeps what it is given.
 */
export interface InferenceObserver extends EngineObserver, TrafficObserver {
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
  /** `Admission.ratio` of the fuller one. */
  ratio: number;
}
