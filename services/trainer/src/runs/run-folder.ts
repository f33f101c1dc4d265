import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { appendFile, mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DomainError } from '@atelier/domain';
import type { EpochReport } from '../epoch-report.ts';
import type { EpochEnd, Past } from '../fit.ts';
import { Checkpoints } from './checkpoints.ts';
import type { Origin } from './checkpoint.ts';
import { readHistoryUpTo } from './history.ts';
import { RunLock } from './run-lock.ts';
import { parseRun, readText, type Run } from './run.ts';
import { storageError, writeWholeFile, writeWholeFileNow } from './whole-file.ts';

const RUN_FILE = 'run.json';
const HISTORY_FILE = 'history.ndjson';

/** An epoch's end from which a training goes on. */
export type ResumePoint = EpochEnd & Past;

/**
 * One run's folder, held by one process at a time: `run.json`, `history.ndjson` with a line per epoch, `checkpoint/`
 * while the run is not finished, and after training `model.onnx`, `manifest.json` and `tfjs/`. Whole files are written
 * beside and renamed, so a crash leaves the last good one.
 */
export class RunFolder {
  readonly directory: string;
  readonly #lock: RunLock;
  readonly #checkpoints: Checkpoints;
  #run: Run;

  private constructor(directory: string, lock: RunLock, run: Run) {
    this.directory = directory;
    this.#lock = lock;
    this.#run = run;
    this.#checkpoints = new Checkpoints(join(directory, 'checkpoint'));
  }

  static async create(
    runsDirectory: string,
    details: Pick<Run, 'recipe' | 'engine' | 'data' | 'publishAs'>,
  ): Promise<RunFolder> {
    const startedAt = new Date().toISOString();
    const id = `${startedAt.replace(/\.\d+Z$/, '').replaceAll(':', '-')}-${details.recipe.name}-${randomBytes(2).toString('hex')}`;
    const directory = join(runsDirectory, id);
    await mkdir(directory, { recursive: true }).catch((error: unknown) => {
      throw storageError(error, directory);
    });
    const folder = new RunFolder(directory, await RunLock.acquire(directory), {
      id,
      state: 'running',
      ...details,
      startedAt,
      resumedAt: [],
      endedAt: null,
      epochs: 0,
      bestEpoch: null,
      error: null,
      digests: null,
      published: null,
    });
    await folder.update({});
    return folder;
  }

  /** Takes a run that is there; `run-in-use` where another process has it, `invalid-run` where `run.json` is damaged. */
  static async open(directory: string): Promise<RunFolder> {
    const lock = await RunLock.acquire(directory);
    try {
      return new RunFolder(directory, lock, await readRun(directory));
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  get run(): Run {
    return this.#run;
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
  }

  /**
   * Ends the run: its state, when, and why where it did not finish. A finished run needs its checkpoint no more.
   */
  async end(state: Exclude<Run['state'], 'running'>, error: Run['error'] = null): Promise<void> {
    const change = { state, error, endedAt: new Date().toISOString() };
    try {
      await this.update(change);
    } catch (fault) {
      if (!(fault instanceof DomainError && fault.code === 'disk-full')) throw fault;
      await this.#lock.release(); // its block on the disk is as large as what we have to write
      await this.update(change);
    }
    if (state === 'finished') await this.#checkpoints.remove();
  }

  /** Gives the folder back as it is; once more does nothing. */
  async release(): Promise<void> {
    await this.#lock.release();
  }

  /**
   * For a process that is about to exit and can wait for nothing: a run that is still running becomes interrupted, unless
   * another process took it over.
   */
  endNow(message: string): void {
    if (this.#lock.isHeldNow()) markInterrupted(this.directory, message);
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
export function markInterrupted(directory: string, message: string): void {
  const path = join(directory, RUN_FILE);
  try {
    const run = parseRun(readFileSync(path, 'utf8'), path);
    if (run.state !== 'running') return;
    const error = { code: 'training-interrupted', message };
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
