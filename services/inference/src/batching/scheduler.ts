import { CLASS_COUNT, DomainError, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { PublishedVersion } from '@atelier/model-repository';
import type { Outputs, PredictOptions, Priority } from '../predictor/predictor.ts';
import { bucketFor, MAXIMUM_ROWS } from './buckets.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { JobQueue } from './job-queue.ts';
import type { BatchObserver, CloseReason } from './observer.ts';

/** A model that engines have loaded. */
export interface Runnable {
  /** The number by which engines know it. */
  model: number;
  version: PublishedVersion;
}

export interface SchedulerOptions {
  engines: number;
  /** How long a row may wait for others while every engine is busy. */
  maximumDelayMs: number;
  /** Runs images [rows, 28, 28] on an engine; resolves to float32 [rows, 20], a row's logits and then its probabilities. */
  execute(engine: number, model: number, images: Uint8Array, rows: number): Promise<Float32Array>;
  observer: BatchObserver;
  clock?: Clock;
}

/** One request's rows, at most `MAXIMUM_ROWS`, from its arrival to its answer. */
export interface Job {
  runnable: Runnable;
  priority: Priority;
  images: Uint8Array;
  rows: number;
  enqueuedAt: number;
  /** Answers, once; what comes later is dropped. */
  settle(outcome: Outputs | Error): void;
}

/** Of two batches an engine computes one; the other is at hand when that is done, which spares it the way here and back. */
const BATCHES_PER_ENGINE = 2;

/**
 * Collects rows of different requests into batches (SERVING: eight rows cost little more than one). A batch is closed when
 * it is full; when an engine has nothing to do, whatever there is; or when its oldest row has waited
 * `maximumDelayMs` while all engines are busy. So nobody waits who need not. `bulk` rows are taken only by an engine that has
 * nothing to do while no `online` row waits. Rows of one batch do not see each other: each is a row of a matrix product.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #clock: Clock;
  readonly #queues = new Map<number, Record<Priority, JobQueue>>();
  /** Batches that each engine has. */
  readonly #busy: number[];
  /** Engines that load a model just now; others are taken first. */
  readonly #loading = new Set<number>();
  #waitingRows = 0;
  #isPumping = false;
  #stopAlarm: (() => void) | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#busy = Array.from({ length: options.engines }, () => 0);
  }

  /** Rows that are in no batch yet. */
  get waitingRows(): number {
    return this.#waitingRows;
  }

  /**
   * Computes images [rows, 28, 28], at least one and at most `MAXIMUM_ROWS`. Rejects with the reason of `signal`,
   * `deadline-exceeded`, or what `execute` rejects with.
   */
  submit(
    runnable: Runnable,
    images: Uint8Array,
    { signal, deadline, priority = 'online' }: PredictOptions = {},
  ): Promise<Outputs> {
    const rows = images.length / PIXELS_PER_IMAGE;
    const now = this.#clock.now();
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      if (deadline !== undefined && deadline <= now) {
        reject(deadlineExceeded());
        return;
      }
      let stopDeadline: (() => void) | undefined;
      const job: Job = {
        ...{ runnable, priority, images, rows, enqueuedAt: now },
        settle(outcome) {
          stopDeadline?.();
          signal?.removeEventListener('abort', abort);
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        },
      };
      const giveUp = (reason: Error) => {
        const isQueued = this.#queuesOf(runnable)[priority].remove(job);
        if (isQueued) this.#waitingRows -= rows;
        this.#options.observer.cancelled(isQueued ? 'queue' : 'batch');
        job.settle(reason);
      };
      const abort = () => giveUp(signal?.reason as Error);
      signal?.addEventListener('abort', abort, { once: true });
      if (deadline !== undefined) stopDeadline = this.#clock.after(deadline - now, () => giveUp(deadlineExceeded()));
      this.#queuesOf(runnable)[priority].add(job);
      this.#waitingRows += rows;
      this.#pumpSoon();
    });
  }

  /** Rejects everything that waits; what engines have is rejected by `execute`. */
  failWaiting(error: Error): void {
    for (const queues of this.#queues.values()) {
      for (const queue of [queues.online, queues.bulk]) {
        for (const job of queue.takeAll()) job.settle(error);
      }
    }
    this.#waitingRows = 0;
  }

  /** Nothing of this model waits any more; its queues go. */
  forget({ model }: Runnable): void {
    this.#queues.delete(model);
  }

  /** While an engine loads a model, batches go to the others where there are any. */
  setLoading(engine: number, isLoading: boolean): void {
    if (isLoading) this.#loading.add(engine);
    else this.#loading.delete(engine);
    this.#pumpSoon();
  }

  #queuesOf({ model }: Runnable): Record<Priority, JobQueue> {
    let queues = this.#queues.get(model);
    if (queues === undefined) this.#queues.set(model, (queues = { online: new JobQueue(), bulk: new JobQueue() }));
    return queues;
  }

  /** After what has arrived together has been taken in: it can share a batch. */
  #pumpSoon(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    this.#clock.soon(() => {
      this.#isPumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    this.#stopAlarm?.();
    this.#stopAlarm = undefined;
    for (;;) {
      const engine = this.#freestEngine();
      if (engine === undefined) return;
      const closed = this.#busy[engine] === 0 ? this.#closeForIdle() : this.#closeForBusy();
      if (closed === undefined) return;
      void this.#run(engine, closed.jobs, closed.reason);
    }
  }

  #freestEngine(): number | undefined {
    let best: number | undefined;
    for (let engine = 0; engine < this.#busy.length; engine++) {
      const busy = this.#busy[engine] ?? 0;
      const isBarred = this.#loading.has(engine) && this.#loading.size < this.#busy.length;
      if (busy >= BATCHES_PER_ENGINE || isBarred) continue;
      if (best === undefined || busy < (this.#busy[best] ?? 0)) best = engine;
    }
    return best;
  }

  #closeForIdle(): { jobs: Job[]; reason: CloseReason } | undefined {
    const queue = this.#oldest('online') ?? this.#oldest('bulk');
    if (queue === undefined) return undefined;
    const isFull = queue.rows >= MAXIMUM_ROWS;
    return { jobs: queue.take(MAXIMUM_ROWS), reason: isFull ? 'full' : 'idle' };
  }

  #closeForBusy(): { jobs: Job[]; reason: CloseReason } | undefined {
    for (const { online } of this.#queues.values()) {
      if (online.rows >= MAXIMUM_ROWS) return { jobs: online.take(MAXIMUM_ROWS), reason: 'full' };
    }
    const oldest = this.#oldest('online');
    if (oldest === undefined) return undefined;
    const leftMs = oldest.since + this.#options.maximumDelayMs - this.#clock.now();
    if (leftMs <= 0) return { jobs: oldest.take(MAXIMUM_ROWS), reason: 'delay' };
    this.#stopAlarm = this.#clock.after(leftMs, () => this.#pump());
    return undefined;
  }

  /** The queue whose first job has waited longest. */
  #oldest(priority: Priority): JobQueue | undefined {
    let oldest: JobQueue | undefined;
    for (const { [priority]: queue } of this.#queues.values()) {
      if (queue.rows > 0 && (oldest === undefined || queue.since < oldest.since)) oldest = queue;
    }
    return oldest;
  }

  async #run(engine: number, jobs: Job[], reason: CloseReason): Promise<void> {
    const [first] = jobs;
    if (first === undefined) return;
    const closedAt = this.#clock.now();
    const rows = jobs.reduce((sum, job) => sum + job.rows, 0);
    this.#waitingRows -= rows;
    this.#busy[engine] = (this.#busy[engine] ?? 0) + 1;
    const bucket = bucketFor(rows);
    const { model, version } = first.runnable;
    try {
      const outputs = await this.#options.execute(engine, model, batchOf(jobs, bucket), bucket);
      hand(outputs, jobs);
      this.#options.observer.computed({
        ...{ version, reason, rows, bucket },
        queueMs: jobs.map(({ enqueuedAt }) => closedAt - enqueuedAt),
        computeMs: this.#clock.now() - closedAt,
      });
    } catch (error) {
      for (const job of jobs) job.settle(error as Error);
    } finally {
      this.#busy[engine] = (this.#busy[engine] ?? 1) - 1;
      this.#pumpSoon();
    }
  }
}

/** [bucket, 28, 28]: the rows of the jobs in their order, then black images. */
function batchOf(jobs: readonly Job[], bucket: number): Uint8Array {
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

/** Gives each job its own rows of the outputs, in memory of their own. */
function hand(outputs: Float32Array, jobs: readonly Job[]): void {
  let place = 0;
  for (const job of jobs) {
    const logits = new Float32Array(job.rows * CLASS_COUNT);
    const probabilities = new Float32Array(job.rows * CLASS_COUNT);
    for (let index = 0; index < logits.length; index += CLASS_COUNT) {
      logits.set(outputs.subarray(place, place + CLASS_COUNT), index);
      probabilities.set(outputs.subarray(place + CLASS_COUNT, place + 2 * CLASS_COUNT), index);
      place += 2 * CLASS_COUNT;
    }
    if (probabilities.every(Number.isFinite)) job.settle({ logits, probabilities });
    else job.settle(new DomainError('engine-fault', 'The model computed a probability that is no number.'));
  }
}

function deadlineExceeded(): DomainError {
  return new DomainError('deadline-exceeded', 'The request was not answered in the time that it gave.');
}
