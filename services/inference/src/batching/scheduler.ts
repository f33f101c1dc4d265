import { DomainError, hasCode } from '@atelier/domain';
import { deadlineExceeded } from '@atelier/http';
import { COUNTED, type PredictOptions, PRIORITIES, type Priority } from '../predictor/predictor.ts';
import { bucketFor } from './buckets.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { JobQueue } from './job-queue.ts';
import { batchOf, hand, type Job, jobsOf, type Runnable, time } from './jobs.ts';
import type { BatchObserver, CloseReason } from './observer.ts';

export interface SchedulerOptions {
  engines: number;
  /** How long a row may wait for others while every engine is busy. */
  maximumDelayMs: number;
  /** Runs images [rows, 28, 28] on an engine; resolves to float32 [rows, the model's width]. */
  execute(engine: number, model: number, images: Uint8Array, rows: number): Promise<Float32Array>;
  observer: BatchObserver;
  clock?: Clock;
}

/** Of two batches an engine computes one; the other is at hand when that is done, which spares it the way here and back. */
const BATCHES_PER_ENGINE = 2;

/**
 * So many rows do not wait until everything that has arrived with them is taken in, where an engine has nothing to do: a
 * row of a larger batch costs the CPU no less, and engines and this thread would otherwise work in turns.
 */
const EAGER_ROWS = 16;

/** Of one model. */
type Queues = Record<Priority, JobQueue>;

/**
 * Collects rows of different requests into batches (SERVING: eight rows cost little more than one). A batch is closed when
 * it is full; when an engine has nothing to do, whatever there is; or when its oldest row has waited
 * `maximumDelayMs` while all engines are busy. So nobody waits who need not. Rows of lower priority are taken only by an engine
 * that has nothing to do while none of a higher one waits. Rows of one batch do not see each other: each is a row of a matrix product.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #clock: Clock;
  readonly #queues = new Map<number, Queues>();
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
   * Computes images [rows, 28, 28], at least one, and resolves to float32 [rows, the model's width]; more than its
   * `maximumRows` go in several batches. Rejects with the reason of `signal`, `deadline-exceeded`, or what `execute` rejects
   * with; of a request that is lost nothing more is computed.
   */
  submit(
    runnable: Runnable,
    images: Uint8Array,
    { signal, deadline, priority = 'online', timings }: PredictOptions = {},
  ): Promise<Float32Array> {
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
      const queue = this.#queuesOf(runnable)[priority];
      let stopDeadline: (() => void) | undefined;
      const end = (outcome: Float32Array | Error) => {
        stopDeadline?.();
        signal?.removeEventListener('abort', abort);
        if (!(outcome instanceof Error)) {
          resolve(outcome);
          return;
        }
        for (const job of jobs) this.#withdraw(job, queue);
        reject(outcome);
      };
      const jobs = jobsOf({ runnable, priority, enqueuedAt: now, timings }, images, end);
      const giveUp = (reason: Error) => {
        const waiting = jobs.filter((job) => this.#withdraw(job, queue));
        if (!hasCode(reason, 'deadline-exceeded')) {
          this.#options.observer.cancelled(waiting.length === jobs.length ? 'queue' : 'batch');
        }
        end(reason);
      };
      const abort = () => giveUp(signal?.reason as Error);
      signal?.addEventListener('abort', abort, { once: true });
      if (deadline !== undefined) stopDeadline = this.#clock.after(deadline - now, () => giveUp(deadlineExceeded()));
      for (const job of jobs) {
        queue.add(job);
        this.#waitingRows += job.rows;
      }
      if (this.#waitingRows >= EAGER_ROWS && this.#busy.includes(0)) this.#pump();
      else this.#pumpSoon();
    });
  }

  /** Rejects everything that waits; what engines have is rejected by `execute`. */
  failWaiting(error: Error): void {
    for (const queues of this.#queues.values()) this.#fail(queues, error);
  }

  /** The model is gone: nothing of it is to wait any more, and its queues go. */
  forget({ model }: Pick<Runnable, 'model'>): void {
    const queues = this.#queues.get(model);
    if (queues === undefined) return;
    this.#queues.delete(model);
    this.#fail(queues, new DomainError('engine-fault', 'The model was released over this request.'));
  }

  /** While an engine loads a model, batches go to the others where there are any. */
  setLoading(engine: number, isLoading: boolean): void {
    if (isLoading) this.#loading.add(engine);
    else this.#loading.delete(engine);
    this.#pumpSoon();
  }

  /** Whether it waited. */
  #withdraw(job: Job, queue: JobQueue): boolean {
    const isHere = queue.remove(job);
    if (isHere) this.#waitingRows -= job.rows;
    return isHere;
  }

  #fail(queues: Queues, error: Error): void {
    for (const priority of PRIORITIES) {
      this.#waitingRows -= queues[priority].rows;
      for (const job of queues[priority].takeAll()) job.settle(error);
    }
  }

  #queuesOf({ model, maximumRows }: Runnable): Queues {
    let queues = this.#queues.get(model);
    if (queues === undefined) {
      const queue = () => new JobQueue(maximumRows);
      queues = { online: queue(), explain: queue(), bulk: queue(), copy: queue() };
      this.#queues.set(model, queues);
    }
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
    for (const priority of PRIORITIES) {
      const queue = this.#oldest(priority);
      if (queue === undefined) continue;
      const reason = queue.isFull ? 'full' : 'idle';
      return { jobs: queue.take(), reason };
    }
    return undefined;
  }

  /** The oldest of those that need not wait for others any longer: a model with more requests must not keep another's waiting. */
  #closeForBusy(): { jobs: Job[]; reason: CloseReason } | undefined {
    const since = this.#clock.now() - this.#options.maximumDelayMs;
    const ripe = this.#oldest('online', (queue) => queue.isFull || queue.since <= since);
    if (ripe !== undefined) {
      const reason = ripe.isFull ? 'full' : 'delay';
      return { jobs: ripe.take(), reason };
    }
    const next = this.#oldest('online');
    if (next !== undefined) this.#stopAlarm = this.#clock.after(next.since - since, () => this.#pump());
    return undefined;
  }

  /** The queue whose first job has waited longest. */
  #oldest(priority: Priority, suits: (queue: JobQueue) => boolean = () => true): JobQueue | undefined {
    let oldest: JobQueue | undefined;
    for (const { [priority]: queue } of this.#queues.values()) {
      if (queue.rows > 0 && (oldest === undefined || queue.since < oldest.since) && suits(queue)) oldest = queue;
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
    const {
      priority,
      runnable: { model, version },
    } = first;
    try {
      const outputs = await this.#options.execute(engine, model, batchOf(jobs, bucket), bucket);
      const computeMs = this.#clock.now() - closedAt;
      const queueMs = jobs.map(({ enqueuedAt }) => closedAt - enqueuedAt);
      for (const job of jobs) time(job, closedAt - job.enqueuedAt, computeMs);
      hand(outputs, jobs, bucket);
      if (!COUNTED.has(priority)) return;
      this.#options.observer.computed({ version, reason, rows, bucket, queueMs, computeMs });
    } catch (error) {
      for (const job of jobs) job.settle(error as Error);
    } finally {
      this.#busy[engine] = (this.#busy[engine] ?? 1) - 1;
      this.#pumpSoon();
    }
  }
}
