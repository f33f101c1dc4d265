import { DomainError, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { PublishedVersion } from '@atelier/model-repository';
import type { Priority } from '../predictor/predictor.ts';

/** A model that engines have loaded. */
export interface Runnable {
  /** The number by which engines know it. */
  model: number;
  version: PublishedVersion;
  /** Numbers that it gives for a row. */
  width: number;
  /** Most rows of a batch. */
  maximumRows: number;
}

/** Rows of one request that go into the same batch, from their arrival to their outputs. */
export interface Job {
  runnable: Runnable;
  priority: Priority;
  images: Uint8Array;
  rows: number;
  enqueuedAt: number;
  /** Is told `queue_ms` and `infer_ms`: see `PredictOptions`. */
  timings?: Record<string, number> | undefined;
  /** Answers, once, with [rows, width]; what comes later is dropped. */
  settle(outcome: Float32Array | Error): void;
}

/** A request's images in parts of the model's `maximumRows`; `end` is called with the outputs of all, or the first failure. */
export function jobsOf(
  origin: Pick<Job, 'runnable' | 'priority' | 'enqueuedAt' | 'timings'>,
  images: Uint8Array,
  end: (outcome: Float32Array | Error) => void,
): Job[] {
  const rows = images.length / PIXELS_PER_IMAGE;
  const { maximumRows, width } = origin.runnable;
  if (rows <= maximumRows) return [{ ...origin, images, rows, settle: end }];
  const whole = new Float32Array(rows * width);
  const count = Math.ceil(rows / maximumRows);
  let missing = count;
  return Array.from({ length: count }, (_, part) => {
    const first = part * maximumRows;
    const last = Math.min(rows, first + maximumRows);
    return {
      ...origin,
      images: images.subarray(first * PIXELS_PER_IMAGE, last * PIXELS_PER_IMAGE),
      rows: last - first,
      settle(outcome) {
        if (outcome instanceof Error) {
          end(outcome);
          return;
        }
        whole.set(outcome, first * width);
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
  const width = jobs[0]?.runnable.width ?? 0;
  if (outputs.length !== bucket * width) {
    throw new DomainError('engine-fault', `The engine gave ${outputs.length} numbers for ${bucket} rows.`);
  }
  let place = 0;
  for (const job of jobs) {
    const numbers = outputs.slice(place, (place += job.rows * width));
    if (numbers.every(Number.isFinite)) job.settle(numbers);
    else job.settle(new DomainError('engine-fault', 'The model computed something that is no number.'));
  }
}
