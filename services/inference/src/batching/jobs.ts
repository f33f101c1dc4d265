import { CLASS_COUNT, DomainError, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { PublishedVersion } from '@atelier/model-repository';
import type { Outputs, Priority } from '../predictor/predictor.ts';
import { MAXIMUM_ROWS } from './buckets.ts';

/** A model that engines have loaded. */
export interface Runnable {
  /** The number by which engines know it. */
  model: number;
  version: PublishedVersion;
}

/** Rows of one request that go into the same batch, at most `MAXIMUM_ROWS`, from their arrival to their outputs. */
export interface Job {
  runnable: Runnable;
  priority: Priority;
  images: Uint8Array;
  rows: number;
  enqueuedAt: number;
  /** Is told `queue_ms` and `infer_ms`: see `PredictOptions`. */
  timings?: Record<string, number> | undefined;
  /** Answers, once; what comes later is dropped. */
  settle(outcome: Outputs | Error): void;
}

/** A request's images in parts of `MAXIMUM_ROWS`; `end` is called with the outputs of all, or the first failure. */
export function jobsOf(
  origin: Pick<Job, 'runnable' | 'priority' | 'enqueuedAt' | 'timings'>,
  images: Uint8Array,
  end: (outcome: Outputs | Error) => void,
): Job[] {
  const rows = images.length / PIXELS_PER_IMAGE;
  if (rows <= MAXIMUM_ROWS) return [{ ...origin, images, rows, settle: end }];
  const whole: Outputs = {
    logits: new Float32Array(rows * CLASS_COUNT),
    probabilities: new Float32Array(rows * CLASS_COUNT),
  };
  const count = Math.ceil(rows / MAXIMUM_ROWS);
  let missing = count;
  return Array.from({ length: count }, (_, part) => {
    const first = part * MAXIMUM_ROWS;
    const last = Math.min(rows, first + MAXIMUM_ROWS);
    return {
      ...origin,
      images: images.subarray(first * PIXELS_PER_IMAGE, last * PIXELS_PER_IMAGE),
      rows: last - first,
      settle(outcome) {
        if (outcome instanceof Error) {
          end(outcome);
          return;
        }
        whole.logits.set(outcome.logits, first * CLASS_COUNT);
        whole.probabilities.set(outcome.probabilities, first * CLASS_COUNT);
        if (--missing === 0) end(whole);
      },
    };
  });
}

/** [bucket, 28, 28]: the rows of the jobs in their order, then black images. */
export function batchOf(jobs: readonly Job[], bucket: number): Uint8Array {
  const [first] = jobs;
  if (jobs.length === 1 && first?.rows === bucket) return first.images;
  const batch = new Uint8Array(bucket * PIXELS_PER_IMAGE);
  let row = 0;
  for (const { images, rows } of jobs) {
    batch.set(images, row * PIXELS_PER_IMAGE);
    row += rows;
  }
  return batch;
}

/** Tells a job how long it waited and was computed; of a request in parts the longest of each. */
export function time({ timings }: Job, queueMs: number, inferMs: number): void {
  if (timings === undefined) return;
  timings['queue_ms'] = Math.max(timings['queue_ms'] ?? 0, queueMs);
  timings['infer_ms'] = Math.max(timings['infer_ms'] ?? 0, inferMs);
}

/** Gives each job its own rows of the outputs, in memory of their own. */
export function hand(outputs: Float32Array, jobs: readonly Job[], bucket: number): void {
  if (outputs.length !== bucket * 2 * CLASS_COUNT) {
    throw new DomainError('engine-fault', `The engine gave ${outputs.length} numbers for ${bucket} rows.`);
  }
  let place = 0;
  for (const job of jobs) {
    const logits = new Float32Array(job.rows * CLASS_COUNT);
    const probabilities = new Float32Array(job.rows * CLASS_COUNT);
    for (let index = 0; index < logits.length; index += CLASS_COUNT) {
      logits.set(outputs.subarray(place, place + CLASS_COUNT), index);
      probabilities.set(outputs.subarray(place + CLASS_COUNT, place + 2 * CLASS_COUNT), index);
      place += 2 * CLASS_COUNT;
    }
    if (logits.every(Number.isFinite) && probabilities.every(Number.isFinite)) job.settle({ logits, probabilities });
    else job.settle(new DomainError('engine-fault', 'The model computed a logit or a probability that is no number.'));
  }
}
