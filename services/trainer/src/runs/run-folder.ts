import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { appendFile, mkdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DomainError, hasCode } from '@atelier/domain';
import type { EpochReport } from '../epoch-report.ts';
import type { EpochEnd, Past, Progress } from '../fit.ts';
import { BEGINNING } from '../standing.ts';
import type { EngineState } from '../training-engine.ts';
import { Checkpoints } from './checkpoints.ts';
import type { Origin } from './checkpoint.ts';
import { readHistoryUpTo } from './history.ts';
import { RunEvents } from './run-events.ts';
import { RunLock } from './run-lock.ts';
import type { RunState } from './run-states.ts';
import { type BegunRun, isBegun, parseRun, readText, type Run } from './run.ts';
import { storageError, writeWholeFile, writeWholeFileNow } from './whole-file.ts';

const RUN_FILE = 'run.json';
const HISTORY_FILE = 'history.ndjson';

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
  readonly #events: RunEvents;
  #run: Run;

  private constructor(directory: string, lock: RunLock, events: RunEvents, run: Run) {
    this.directory = directory;
    this.#lock = lock;
    this.#events = events;
    this.#run = run;
    this.#checkpoints = new Checkpoints(join(directory, 'checkpoint'));
  }

  /** A new run that waits: `begin` makes it a running one. */
  static async create(
    runsDirectory: string,
    details: Pick<Run, 'recipe' | 'request' | 'job' | 'publishAs'> & Partial<Pick<Run, 'source'>>,
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
    let lock: RunLock | null = null;
    try {
      lock = await RunLock.acquire(directory);
      const folder = new RunFolder(directory, lock, await RunEvents.open(directory), {
        id,
        state: 'queued',
        source: null,
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
      });
      await folder.update({});
      folder.#events.queued(0);
      return folder;
    } catch (error) {
      await lock?.release();
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Takes a run that is there; `run-in-use` where another process has it, `invalid-run` where `run.json` is damaged. */
  static async open(directory: string): Promise<RunFolder> {
    const lock = await RunLock.acquire(directory);
    try {
      const run = await readRun(directory);
      const folder = new RunFolder(directory, lock, await RunEvents.open(directory), run);
      await folder.#events.tellUntold(run);
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

  /** Keeps what the training begins with, so that a run that ends in its first epoch goes on without the file it came from. */
  async keepBeginning(origin: Origin, state: EngineState): Promise<void> {
    await this.write(HISTORY_FILE, '');
    await this.prepareCheckpoint(origin, { standing: BEGINNING, state });
    await this.#checkpoints.commit();
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
    this.#events.epoch(report);
  }

  /** Tells of a step, where the last telling is a while ago. */
  addStep(progress: Progress): void {
    this.#events.step(progress);
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
    this.#events.started(this.begunRun);
  }

  /** Makes the folder what it was when the history ended so, and the run a running one. */
  async resume(history: readonly EpochReport[], { publishAs }: Pick<Run, 'publishAs'>): Promise<void> {
    await this.write(HISTORY_FILE, history.map((report) => `${JSON.stringify(report)}\n`).join(''));
    await this.#events.tellUntoldEpochs(history);
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
    this.#events.started(this.begunRun);
  }

  /** Makes a run that ended early wait again. */
  async queueAgain(job: NonNullable<Run['job']>): Promise<void> {
    await this.update({ state: 'queued', job, endedAt: null, error: null });
    this.#events.queued(job.recoveries);
  }

  /**
   * Ends the run: its state, when, and why where it did not finish. A finished run needs its checkpoint no more.
   */
  async end(state: Exclude<RunState, 'queued' | 'running'>, error: Run['error'] = null): Promise<void> {
    const change = { state, error, endedAt: new Date().toISOString() };
    try {
      await this.update(change);
    } catch (fault) {
      if (!hasCode(fault, 'disk-full')) throw fault;
      await this.#lock.release(); // its block on the disk is as large as what we have to write
      await this.update(change);
    }
    try {
      this.#events.ended(this.#run);
    } catch (fault) {
      if (!hasCode(fault, 'disk-full')) throw fault; // whoever opens the run next says it
    }
    if (state === 'finished') await this.#checkpoints.remove();
  }

  /** Ends the run because somebody wanted that. */
  async cancel(reason: string): Promise<void> {
    await this.end('cancelled', { code: 'training-interrupted', message: reason });
  }

  /** Records that the finished run is a version now. */
  async addPublished(published: NonNullable<Run['published']>): Promise<void> {
    if (this.#run.published?.version === published.version && this.#run.published.name === published.name) return;
    await this.update({ published, unpublished: null });
    this.#events.published(published);
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

  /** `path` is relative to the folder. */
  async write(path: string, data: Uint8Array | string): Promise<void> {
    await writeWholeFile(join(this.directory, path), data);
  }
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
