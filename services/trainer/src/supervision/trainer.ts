import { DomainError, hasCode, messageOf, type Recipe } from '@atelier/domain';
import { type Log, RetryLater } from '@atelier/http';
import { digestOf } from '@atelier/model-repository';
import { runErrand } from '../process/errand-process.ts';
import type { RunVersion } from '../publish-run.ts';
import type { QueueWorker, RunQueue } from '../queue/run-queue.ts';
import { canonicalJson } from '../runs/canonical-json.ts';
import { forgetCancelRequest, requestCancel } from '../runs/cancel-request.ts';
import { RunFolder } from '../runs/run-folder.ts';
import { requireLegal } from '../runs/run-states.ts';
import { RunStore, type StoredRun } from '../runs/run-store.ts';
import type { Job, Run, RunRequest } from '../runs/run.ts';
import { withRunFolder } from '../runs/with-run-folder.ts';
import { attendRun, type AttendOptions } from './attend-run.ts';
import { recoverRuns } from './recover-runs.ts';
import { prepareRequested } from './prepare-requested.ts';
import { settleRun } from './settle-run.ts';

export interface TrainerOptions extends AttendOptions {
  /** The model that runs are published as. */
  modelName: string;
  /** Runs that may wait; more are refused. */
  maximumQueued: number;
  /** How often runs are looked for that nobody works on, in ms. */
  recoveryIntervalMs: number;
  /** Which runs are looked after, of those that nobody works on. */
  isOurs: (run: StoredRun) => boolean;
  /** Whether this machine has what a run asks for; another one may. */
  canTrain: (run: Run) => boolean;
}

/** A run to be made. */
export interface NewRun {
  recipe: Recipe;
  request: RunRequest;
  publish: boolean;
  /** Asks for the same run when it comes again. */
  idempotencyKey?: string | null;
  /** Asks for the same run when it comes again, too. */
  trial?: Job['trial'];
  untilEpoch?: number | null;
}

/** How long another process may keep the folder of a run that somebody wants changed, in ms. */
const LOCK_PATIENCE_MS = 5_000;

/** Runs as a service has them: asked for, attended to, changed, and found again after whatever happened. */
export class Trainer {
  readonly store: RunStore;
  readonly #queue: RunQueue;
  readonly #options: TrainerOptions;
  readonly #log: Log;
  readonly #attended = new Set<string>();
  /** Why runs cannot be queued now, or null. */
  fault: DomainError | null = null;
  #worker: QueueWorker | null = null;
  #recovery: NodeJS.Timeout | undefined;
  #recovering: Promise<void> | null = null;
  readonly #reports = new Map<string, Promise<void>>();
  /** One run is made at a time, so that none is made twice for one key and no more wait than may. */
  #making: Promise<unknown> = Promise.resolve();

  constructor(queue: RunQueue, options: TrainerOptions, log: Log) {
    this.store = new RunStore(options.runsDirectory);
    this.#queue = queue;
    this.#options = options;
    this.#log = log;
  }

  /** Finds what was left by whoever worked here before, and goes on looking. */
  async start(): Promise<void> {
    await this.store.removeLeftovers();
    await this.recover();
    const { recoveryIntervalMs } = this.#options;
    this.#recovery = setInterval(() => void this.recover(), recoveryIntervalMs);
  }

  /** Trains what waits, so many at a time. */
  async work(concurrency: number): Promise<void> {
    this.#worker = await this.#queue.work(concurrency, (id, signal) => this.#attend(id, signal));
  }

  /** Interrupts what is being trained; it goes on at the next start. */
  async stop(): Promise<void> {
    clearInterval(this.#recovery);
    await this.#recovering;
    await this.#worker?.close();
    await this.#queue.close();
  }

  /** Runs that nobody works on and that want to go on are queued. A fault is logged: the next look may have none. */
  recover(): Promise<void> {
    this.#recovering ??= this.#lookForLost().finally(() => (this.#recovering = null));
    return this.#recovering;
  }

  async #lookForLost(): Promise<void> {
    try {
      const waiting = await recoverRuns(
        this.store,
        (run) => this.#options.isOurs(run) && !this.#attended.has(run.id),
        (run, error) => this.#condemn(run.id, error),
      );
      for (const id of waiting) await this.#queue.add(id);
      await this.#queue.length(); // whether it can be reached
      this.fault = null;
    } catch (error) {
      this.fault = hasCode(error, 'queue-unavailable') ? error : null; // the queue logs it
      if (this.fault === null) this.#log.error({ err: error }, `Runs could not be looked for: ${messageOf(error)}`);
    }
  }

  /** A run whose folder cannot be worked in has failed; any other fault may be gone at the next look. */
  #condemn(id: string, error: unknown): void {
    this.#log.error({ err: error, run: id }, `A run cannot be attended to: ${messageOf(error)}`);
    if (hasCode(error, 'invalid-run')) this.store.condemn(id, error);
  }

  /** `queue-full`, `idempotency-key-reused`, `disk-full`, and what `prepareTraining` refuses; nothing is left then. */
  async submit(wanted: NewRun): Promise<{ stored: StoredRun; isNew: boolean }> {
    await this.#queue.length(); // where it cannot be reached, nobody waits for the others to find that out
    const made = this.#making.then(() => this.#make(wanted));
    this.#making = made.catch(() => undefined);
    return made;
  }

  /** Now, or as soon as its process has heard of it. */
  async cancel(id: string, reason = 'Somebody asked for it.'): Promise<StoredRun> {
    const stored = await this.store.find(id);
    requireLegal('cancel', stored);
    await this.#change(id, async () => {
      await requestCancel(stored.directory, reason);
      await this.#queue.remove(id).catch(forgiveUnavailable); // handed out all the same, it is found cancelled
      try {
        await withRunFolder(stored.directory, 0, (folder) => settleRun(folder, null));
      } catch (error) {
        if (!hasCode(error, 'run-in-use')) throw error; // whoever attends to it looks for the request
      }
    });
    return this.store.find(id);
  }

  /** Queues a run that ended early; it goes on from its checkpoint, up to `untilEpoch` or to its end. */
  async resume(id: string, untilEpoch: number | null = null): Promise<StoredRun> {
    const stored = await this.store.find(id);
    requireLegal('resume', stored);
    if (stored.fault !== null) throw stored.fault;
    await this.#queue.length(); // nothing is changed where it cannot be reached
    await this.#changeFolder(stored, async (folder) => {
      const { run } = folder;
      requireLegal('resume', run);
      await forgetCancelRequest(folder.directory); // only here somebody has changed their mind
      const job = run.job ?? { queuedAt: new Date().toISOString(), trial: null, idempotency: null };
      await folder.queueAgain({ ...job, recoveries: 0, untilEpoch });
    });
    await this.#queue.add(id).catch(forgiveUnavailable); // it waits in its folder, where it is found
    return this.store.find(id);
  }

  /** What `publishRun` does, in a process of its own. */
  async publish(id: string, { force }: { force: boolean }): Promise<RunVersion> {
    const stored = await this.store.find(id);
    requireLegal('publish', stored);
    const { modelsDirectory, modelName } = this.#options;
    return runErrand('publish', { directory: stored.directory, modelsDirectory, name: modelName, force });
  }

  /** Writes the report of a finished run whose process was killed before it had. Resolves when there is one, or cannot be. */
  async writeMissingReport({ id, directory, state }: StoredRun): Promise<void> {
    if (state !== 'finished' || this.#attended.has(id)) return;
    const { dataset } = this.#options;
    const writing = this.#reports.get(id) ?? runErrand('report', { directory, dataset });
    this.#reports.set(id, writing);
    try {
      await writing;
    } catch (error) {
      this.#log.error({ err: error, run: id }, `The report could not be written: ${messageOf(error)}`);
    } finally {
      this.#reports.delete(id);
    }
  }

  async remove(id: string): Promise<void> {
    const stored = await this.store.find(id);
    requireLegal('delete', stored);
    if (stored.run === null) return this.#change(id, () => this.store.remove(stored)); // nobody can work on it
    await this.#changeFolder(stored, async (folder) => {
      requireLegal('delete', folder.run);
      await this.store.remove(stored);
    });
  }

  /** How many runs wait in the queue. */
  queueLength(): Promise<number> {
    return this.#queue.length();
  }

  #changeFolder({ id, directory }: StoredRun, work: (folder: RunFolder) => Promise<void>): Promise<void> {
    return this.#change(id, () => withRunFolder(directory, LOCK_PATIENCE_MS, work));
  }

  /** `run-not-found` where somebody else has removed the run meanwhile. */
  async #change(id: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof DomainError)) await this.store.find(id);
      throw error;
    }
  }

  async #attend(id: string, signal: AbortSignal): Promise<'done' | 'busy'> {
    this.#attended.add(id);
    try {
      const { run } = await this.store.find(id);
      if (run !== null && !this.#options.canTrain(run)) return 'busy';
      this.#log.info({ run: id }, 'Run is attended to');
      const attended = await attendRun(id, this.#options, signal);
      if (attended === 'waiting') await this.#queue.add(id);
      return attended === 'busy' ? 'busy' : 'done';
    } catch (error) {
      this.#condemn(id, error);
      return 'done';
    } finally {
      this.#attended.delete(id);
      const state = await this.store.find(id).then(
        (stored) => stored.state,
        () => 'gone',
      );
      this.#log.info({ run: id, state }, 'Run is left');
    }
  }

  async #make(wanted: NewRun): Promise<{ stored: StoredRun; isNew: boolean }> {
    const { recipe, request, publish, idempotencyKey = null, trial = null, untilEpoch = null } = wanted;
    const runs = await this.store.list();
    const same = trial === null ? undefined : runs.find(({ run }) => isSameTrial(run?.job?.trial ?? null, trial));
    if (same !== undefined) return { stored: same, isNew: false };
    const digest = digestOfRequest(wanted);
    const before =
      idempotencyKey === null ? undefined : runs.find(({ run }) => run?.job?.idempotency?.key === idempotencyKey);
    if (before?.run?.job?.idempotency != null) {
      if (before.run.job.idempotency.request === digest) return { stored: before, isNew: false };
      const message = `The Idempotency-Key of run ${before.id} came with another request.`;
      throw new DomainError('idempotency-key-reused', message, { details: { run: before.id } });
    }
    const { maximumQueued, modelName: name, modelsDirectory, runsDirectory } = this.#options;
    if (runs.filter(({ state }) => state === 'queued').length >= maximumQueued) {
      throw new RetryLater('queue-full', `${maximumQueued} runs wait, as many as may (TRAINER_MAX_QUEUED).`);
    }
    await prepareRequested(recipe, runsDirectory, publish ? { modelsDirectory, name } : null);
    const folder = await RunFolder.create(runsDirectory, {
      recipe,
      request,
      publishAs: publish ? name : null,
      job: {
        queuedAt: new Date().toISOString(),
        recoveries: 0,
        untilEpoch,
        trial,
        idempotency: idempotencyKey === null ? null : { key: idempotencyKey, request: digest },
      },
    });
    await folder.release();
    const stored = await this.store.find(folder.run.id);
    try {
      await this.#queue.add(stored.id);
    } catch (error) {
      await this.store.remove(stored);
      throw error;
    }
    return { stored, isNew: true };
  }
}

function isSameTrial(one: Job['trial'], other: NonNullable<Job['trial']>): boolean {
  return one?.search === other.search && one.number === other.number;
}

function digestOfRequest({ recipe, request, publish }: NewRun): string {
  return digestOf(Buffer.from(canonicalJson({ recipe, request, publish })));
}

function forgiveUnavailable(error: unknown): void {
  if (!hasCode(error, 'queue-unavailable')) throw error;
}
