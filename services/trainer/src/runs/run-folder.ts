import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { appendFile, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DomainError } from '@atelier/domain';
import type { EpochReport } from '../epoch-report.ts';
import type { EpochEnd, Past, Progress } from '../fit.ts';
import { Checkpoints } from './checkpoints.ts';
import type { Origin } from './checkpoint.ts';
import { EventLog, failureOf } from './event-log.ts';
import { EventReader } from './event-reader.ts';
import { readHistoryUpTo } from './history.ts';
import { RunLock } from './run-lock.ts';
import { isFinal, type RunState } from './run-states.ts';
import { type BegunRun, isBegun, parseRun, readText, type Run } from './run.ts';
import { storageError, writeWholeFile, writeWholeFileNow } from './whole-file.ts';

const RUN_FILE = 'run.json';
const HISTORY_FILE = 'history.ndjson';
const EVENTS_FILE = 'events.ndjson';
const CANCEL_FILE = 'cancel-requested';

/** How often steps are worth an event, in ms; the first chunk of an epoch always is. */
const STEP_EVENT_MS = 1000;

/** An epoch's end from which a training goes on. */
export type ResumePoint = EpochEnd & Past;

/**
 * One run's folder, held by one process at a time: `run.json`, `history.ndjson` with a line per epoch, `events.ndjson` with
 * a line for whatever happens, `checkpoint/` while the run is not finished, and after training `model.onnx`,
 * `manifest.json` and `tfjs/`. Whole files are written beside and renamed, so a crash leaves the last good one.
 */
export class RunFolder {
  readonly directory: string;
  readonly #lock: RunLock;
  readonly #checkpoints: Checkpoints;
  readonly #events: EventLog;
  #run: Run;
  #lastStep = { epoch: 0, at: 0 };

  private constructor(directory: string, lock: RunLock, events: EventLog, run: Run) {
    this.directory = directory;
    this.#lock = lock;
    this.#events = events;
    this.#run = run;
    this.#checkpoints = new Checkpoints(join(directory, 'checkpoint'));
  }

  /** A new run that waits: `begin` makes it a running one. */
  static async create(
    runsDirectory: string,
    details: Pick<Run, 'recipe' | 'request' | 'job' | 'publishAs'>,
  ): Promise<RunFolder> {
    const now = new Date()
      .toISOString()
      .replace(/\.\d+Z$/, '')
      .replaceAll(':', '-');
    const id = `${now}-${details.recipe.name}-${randomBytes(4).toString('hex')}`;
    const directory = join(runsDirectory, id);
    await mkdir(directory, { recursive: true }).catch((error: unknown) => {
      throw storageError(error, directory);
    });
    const folder = new RunFolder(
      directory,
      await RunLock.acquire(directory),
      await EventLog.open(join(directory, EVENTS_FILE)),
      {
        id,
        state: 'queued',
        ...details,
        engine: null,
        data: null,
        startedAt: null,
        resumedAt: [],
        endedAt: null,
        epochs: 0,
        bestEpoch: null,
        error: null,
        digests: null,
        published: null,
        unpublished: null,
      },
    );
    try {
      await folder.update({});
      folder.#events.append('queued', { recovery: 0 });
    } catch (error) {
      await folder.release();
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
    return folder;
  }

  /** Takes a run that is there; `run-in-use` where another process has it, `invalid-run` where `run.json` is damaged. */
  static async open(directory: string): Promise<RunFolder> {
    const lock = await RunLock.acquire(directory);
    try {
      const run = await readRun(directory);
      const folder = new RunFolder(directory, lock, await EventLog.open(join(directory, EVENTS_FILE)), run);
      await folder.#tellEnd();
      return folder;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  get run(): Run {
    return this.#run;
  }

  /** `run-unfinished` where the training has not begun. */
  get begunRun(): BegunRun {
    if (isBegun(this.#run)) return this.#run;
    throw new DomainError('run-unfinished', `Run ${this.#run.id} has not begun.`);
  }

  async update(change: Partial<Run>): Promise<void> {
    const changed = { ...this.#run, ...change };
    await this.write(RUN_FILE, jsonFile(changed));
    this.#run = changed;
  }

  /** Writes the state beside; it counts from `addEpoch` on. */
  async prepareCheckpoint(origin: Origin, end: EpochEnd): Promise<void> {
    await this.#lock.requireHeld(this.directory);
    await this.#checkpoints.prepare(origin, end);
  }

  /** The history first, because what it has beyond the checkpoint is cut when the run is resumed; then the checkpoint. */
  async addEpoch(report: EpochReport): Promise<void> {
    const path = join(this.directory, HISTORY_FILE);
    try {
      // On the disk before the checkpoint counts: a power cut must not leave a history that is shorter.
      await appendFile(path, `${JSON.stringify(report)}\n`, { flush: true });
    } catch (error) {
      throw storageError(error, path);
    }
    await this.#checkpoints.commit();
    await this.update({ epochs: report.epoch });
    this.#events.append('epoch', report);
    this.#events.append('checkpoint', { epoch: report.epoch });
  }

  /** Tells of a step, where the last telling is a while ago. */
  addStep(progress: Progress): void {
    const now = performance.now();
    const { epoch, at } = this.#lastStep;
    if (progress.epoch === epoch && now - at < STEP_EVENT_MS) return;
    this.#events.append('step', progress);
    this.#lastStep = { epoch: progress.epoch, at: now };
  }

  /** Where to go on; null where no epoch was completed. `invalid-checkpoint` and `invalid-run` as their readers say. */
  async resumePoint(origin: Origin): Promise<ResumePoint | null> {
    const saved = await this.#checkpoints.read(origin);
    if (saved === null) {
      if (this.#run.epochs === 0) return null;
      const message = `${this.directory} has no checkpoint; expected one of epoch ${this.#run.epochs}.`;
      throw new DomainError('invalid-checkpoint', message);
    }
    const path = join(this.directory, HISTORY_FILE);
    return { ...saved, history: await readHistoryUpTo(saved.standing.epoch, path) };
  }

  /** Makes a run that waits a running one, now that it is settled what computes and with which data. */
  async begin(details: Pick<BegunRun, 'engine' | 'data'>): Promise<void> {
    const startedAt = new Date().toISOString();
    await this.update({ ...details, state: 'running', startedAt, endedAt: null, error: null });
    this.#tellStart();
  }

  /** Makes the folder what it was when the history ended so, and the run a running one. */
  async resume(history: readonly EpochReport[], { publishAs }: Pick<Run, 'publishAs'>): Promise<void> {
    await this.write(HISTORY_FILE, history.map((report) => `${JSON.stringify(report)}\n`).join(''));
    const resumedAt = [...this.#run.resumedAt, new Date().toISOString()];
    await this.update({
      state: 'running',
      epochs: history.length,
      publishAs,
      resumedAt,
      endedAt: null,
      bestEpoch: null,
      error: null,
    });
    this.#tellStart();
  }

  /** Makes a run that ended early wait again. */
  async queueAgain(job: NonNullable<Run['job']>): Promise<void> {
    await rm(join(this.directory, CANCEL_FILE), { force: true });
    await this.update({ state: 'queued', job, endedAt: null, error: null });
    this.#events.append('queued', { recovery: job.recoveries });
  }

  /**
   * Ends the run: its state, when, and why where it did not finish. A finished run needs its checkpoint no more.
   */
  async end(state: Exclude<RunState, 'queued' | 'running'>, error: Run['error'] = null): Promise<void> {
    const change = { state, error, endedAt: new Date().toISOString() };
    try {
      await this.update(change);
    } catch (fault) {
      if (!(fault instanceof DomainError && fault.code === 'disk-full')) throw fault;
      await this.#lock.release(); // its block on the disk is as large as what we have to write
      await this.update(change);
    }
    if (state === 'finished') await this.#checkpoints.remove();
    try {
      this.#events.append(...endOf(this.#run));
    } catch (fault) {
      if (!(fault instanceof DomainError && fault.code === 'disk-full')) throw fault; // whoever opens the run next says it
    }
  }

  /** Ends the run because somebody wanted that. */
  async cancel(reason: string): Promise<void> {
    await this.end('cancelled', { code: 'training-interrupted', message: reason });
  }

  /** Records that the finished run is a version now. */
  async addPublished(published: NonNullable<Run['published']>): Promise<void> {
    if (this.#run.published?.version === published.version && this.#run.published.name === published.name) return;
    await this.update({ published, unpublished: null });
    this.#events.append('published', published);
  }

  /** Gives the folder back as it is; once more does nothing. */
  async release(): Promise<void> {
    await this.#lock.release();
  }

  /**
   * For a process that is about to exit and can wait for nothing: a run that is still running becomes interrupted, unless
   * another process took it over.
   */
  endNow(): void {
    if (this.#lock.isHeldNow()) markCrashed(this.directory);
    this.#lock.releaseNow();
  }

  #tellStart(): void {
    const { engine, epochs } = this.begunRun;
    this.#events.append('started', { engine: engine.name, device: engine.device, afterEpoch: epochs });
  }

  /** A crash, or a disk that was full, can come between the state of a run that has ended and the event that tells it. */
  async #tellEnd(): Promise<void> {
    if (!isFinal(this.#run.state)) return;
    const reader = new EventReader(join(this.directory, EVENTS_FILE));
    try {
      let last: string | undefined;
      for (let lines = await reader.next(); lines.length > 0; lines = await reader.next()) last = lines.at(-1)?.line;
      if (last === undefined) return; // of a time when runs had no events
      const { event } = JSON.parse(last) as { event: string };
      if (event !== this.#run.state && event !== 'published') this.#events.append(...endOf(this.#run));
    } finally {
      await reader.close();
    }
  }

  /** `path` is relative to the folder. */
  async write(path: string, data: Uint8Array | string): Promise<void> {
    await writeWholeFile(join(this.directory, path), data);
  }
}

/**
 * Asks whoever works on a run to end it; on whatever machine, since the folder is all that they surely share. `reason` is a
 * sentence for people.
 */
export async function requestCancel(directory: string, reason: string): Promise<void> {
  const path = join(directory, CANCEL_FILE);
  await writeFile(path, reason).catch((error: unknown) => {
    throw storageError(error, path);
  });
}

/** Why somebody wants the run cancelled, or null where nobody does. */
export async function readCancelRequest(directory: string): Promise<string | null> {
  return readText(join(directory, CANCEL_FILE));
}

/** Where the events of a run stand. */
export function eventsPath(directory: string): string {
  return join(directory, EVENTS_FILE);
}

/** Reads and checks a run's `run.json`. */
export async function readRun(directory: string): Promise<Run> {
  const path = join(directory, RUN_FILE);
  const text = await readText(path);
  if (text === null) throw new DomainError('invalid-run', `${path} is missing.`);
  return parseRun(text, path);
}

/** The folder of a run by its id, or by its path. `run-not-found` names where it was looked for. */
export async function findRun(runsDirectory: string, idOrFolder: string): Promise<string> {
  const candidates = [resolve(idOrFolder), join(runsDirectory, idOrFolder)];
  for (const directory of candidates) {
    if (await isFile(join(directory, RUN_FILE))) return directory;
  }
  throw new DomainError('run-not-found', `No run "${idOrFolder}": no run.json in ${candidates.join(' or ')}.`);
}

/**
 * At once and without a lock, for a process that is about to exit and whose run nobody else works on. A run that cannot be
 * read or written stays as it is: it says running, without a living process, and can be resumed all the same.
 */
export function markCrashed(directory: string): void {
  const path = join(directory, RUN_FILE);
  try {
    const run = parseRun(readFileSync(path, 'utf8'), path);
    if (run.state !== 'running') return;
    const error = { code: 'training-crashed', message: 'The process ended in the middle of the run.' };
    const interrupted: Run = { ...run, state: 'interrupted', endedAt: new Date().toISOString(), error };
    writeWholeFileNow(path, jsonFile(interrupted));
  } catch {
    // Nobody is left to tell: an exit handler that throws only hides why the process ends.
  }
}

const UNKNOWN = { code: 'internal', message: 'No reason was kept.' };

/** The event that tells of the state that a run has ended in. */
function endOf(run: Run): Parameters<EventLog['append']> {
  const { state, error, epochs, bestEpoch, published, unpublished } = run;
  if (state === 'finished') {
    return ['finished', { epochs, bestEpoch, published, unpublished: unpublished && failureOf(unpublished) }];
  }
  if (state === 'cancelled') return ['cancelled', { reason: failureOf(error ?? UNKNOWN).message }];
  if (state !== 'failed' && state !== 'interrupted') throw new Error(`Run ${run.id} is ${state} and has not ended.`);
  return [state, failureOf(error ?? UNKNOWN)];
}

/** JSON as we write it to files for people and programs. */
export function jsonFile(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
