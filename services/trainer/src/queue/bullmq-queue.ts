import { DelayedError, Queue, WaitingError, Worker } from 'bullmq';
import { Attendances } from './attendances.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisWorkerDirectory } from './redis-worker-directory.ts';
import { type Attend, BUSY_DELAY_MS, type QueueWorker, type RunQueue, type RunQueueOptions } from './run-queue.ts';
import type { WorkerDirectory } from './worker-directory.ts';

export interface BullmqQueueOptions extends RunQueueOptions {
  /** Begins every key in Redis; `atelier` unless told. */
  readonly prefix?: string;
}

const NAME = 'runs';

/**
 * A worker that was killed lets its run go when its lock ends, and the next check hands it on: after some 7 s at most, if
 * another has a place. Half a lock's time is what the event loop may be blocked for; it is free, as training has its own
 * process, and a run that is handed out twice for it is only busy.
 */
const LOCK_MS = 5000;
const CHECK_MS = 2000;

/** How long the last words of a worker may take before its connection is cut. */
const PARTING_LIMIT_MS = 2000;

/** The queue that services and workers on several machines share. BullMQ's jobs have ids of their own and carry the run's as name. */
export class BullmqQueue implements RunQueue {
  /** Who works off this queue. */
  readonly directory: WorkerDirectory;
  readonly #connection: RedisConnection;
  readonly #queue: Queue;
  readonly #prefix: string;
  readonly #busyDelayMs: number;
  readonly #onFault: (message: string) => void;

  /**
   * Starts to connect to `redis://user:password@host:port/database` (`rediss://` for TLS) and takes its absence lightly:
   * `add`, `remove` and `length` reject with `queue-unavailable` after 2 s, workers wait. Throws `invalid-configuration`
   * for any other URL. `onFault` hears of an outage once, and of no password.
   */
  constructor(
    url: string,
    { prefix = 'atelier', busyDelayMs = BUSY_DELAY_MS, onFault = () => undefined }: BullmqQueueOptions = {},
  ) {
    this.#prefix = prefix;
    this.#busyDelayMs = busyDelayMs;
    this.#onFault = onFault;
    this.#connection = new RedisConnection(url, onFault);
    this.directory = new RedisWorkerDirectory(this.#connection, prefix);
    // The check of the version asks Redis once, and a connection lost in that moment would spoil the queue for good.
    this.#queue = new Queue(NAME, { connection: this.#connection.client, prefix, skipVersionCheck: true });
    this.#queue.on('error', (error) => this.#connection.report(error));
  }

  async add(id: string): Promise<void> {
    // A jobId equal to the run's would do without deduplication, but drop what is added while the run is attended to.
    const options = {
      deduplication: { id, keepLastIfActive: true },
      removeOnComplete: true,
      removeOnFail: true,
    };
    await this.#connection.ask(() => this.#queue.add(id, {}, options));
  }

  async remove(id: string): Promise<void> {
    await this.#connection.ask(async () => {
      const job = await this.#queue.getDeduplicationJobId(id);
      if (job !== null) await this.#queue.remove(job); // which leaves an active one alone
    });
  }

  async length(): Promise<number> {
    return this.#connection.ask(() => this.#queue.getJobCountByTypes('wait', 'delayed', 'prioritized'));
  }

  async work(concurrency: number, attend: Attend): Promise<QueueWorker> {
    const clients = this.#connection.open({ maxRetriesPerRequest: null });
    const attendances = new Attendances(attend, this.#onFault);
    let closing = false;
    const worker = new Worker(
      NAME,
      async (job, token) => {
        if (closing) {
          await job.moveToWait(token);
          throw new WaitingError();
        }
        // This worker's own lock on it may have ended while Redis was away.
        const outcome = attendances.has(job.name) ? 'busy' : await attendances.start(job.name);
        if (outcome === 'done') return;
        await job.moveToDelayed(Date.now() + this.#busyDelayMs, token);
        throw new DelayedError();
      },
      {
        connection: clients.client,
        prefix: this.#prefix,
        concurrency,
        lockDuration: LOCK_MS,
        stalledInterval: CHECK_MS,
        // How often a run may be tried stands in its folder.
        maxStalledCount: Number.MAX_SAFE_INTEGER,
      },
    );
    worker.on('error', (error) => this.#connection.report(error));
    return {
      close: async () => {
        closing = true;
        const closed = worker.close();
        await attendances.end();
        const parting = setTimeout(clients.end, PARTING_LIMIT_MS);
        await closed;
        clearTimeout(parting);
        clients.end();
      },
    };
  }

  async close(): Promise<void> {
    await this.#queue.close();
    this.#connection.close();
  }
}
