import { CLASS_COUNT } from '@atelier/domain';
import { Distribution, increment } from '@atelier/http';

/** Of durations, in seconds: a request of a small model takes less than a millisecond, one in trouble some seconds. */
export const SECONDS = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025],
  ...[0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
];

/** Of rows of a batch. */
export const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** Of the probability of the class that was answered; a tenth is a guess. */
export const CONFIDENCES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999];

/** What one version has done, in plain numbers; labels and text are made of them when somebody asks. */
export class VersionTally {
  readonly model: string;
  readonly version: string;
  /** Requests that are being answered. */
  pending = 0;
  answered = 0;
  /** Rows that were computed for the requests that were answered. */
  rows = 0;
  /** Requests that were not, by the code of the failure, `cancelled` where the client gave up. */
  readonly failures = new Map<string, number>();
  readonly totalSeconds = new Distribution(SECONDS);
  readonly queueSeconds = new Distribution(SECONDS);
  readonly computeSeconds = new Distribution(SECONDS);
  readonly batchRows = new Distribution(ROWS);
  batches = 0;
  paddingRows = 0;
  /** Of all requests of each batch together: ten requests that share a run of 1 ms took 10 ms. */
  readonly requestMs = { total: 0, queue: 0, compute: 0 };
  readonly classes = new Float64Array(CLASS_COUNT);
  readonly confidence = new Distribution(CONFIDENCES);

  constructor(model: string, version: number) {
    this.model = model;
    this.version = String(version);
  }

  /** Probabilities [count, 10] have been computed after `durationMs`, of which `answered` are answers; by default all. */
  succeeded(probabilities: Float32Array, durationMs: number, answered?: readonly number[]): void {
    this.answered++;
    this.rows += probabilities.length / CLASS_COUNT;
    this.totalSeconds.add(durationMs / 1000);
    this.requestMs.total += durationMs;
    if (answered !== undefined) for (const row of answered) this.#countClass(probabilities, row * CLASS_COUNT);
    else for (let start = 0; start < probabilities.length; start += CLASS_COUNT) this.#countClass(probabilities, start);
  }

  failed(reason: string): void {
    increment(this.failures, reason);
  }

  #countClass(probabilities: Float32Array, start: number): void {
    let best = 0;
    let confidence = probabilities[start] ?? 0;
    for (let index = 1; index < CLASS_COUNT; index++) {
      const probability = probabilities[start + index] ?? 0;
      if (probability > confidence) [best, confidence] = [index, probability];
    }
    this.classes[best] = (this.classes[best] ?? 0) + 1;
    this.confidence.add(confidence);
  }
}
