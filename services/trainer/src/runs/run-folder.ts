import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { EpochReport } from '../fit.ts';
import { Run } from './run.ts';

/**
 * One run's folder: `run.json`, `history.ndjson` with a line per epoch, and after training `model.onnx`,
 * `manifest.json` and `tfjs/`. Whole files are written beside and renamed, so a crash leaves the last good one.
 */
export class RunFolder {
  readonly directory: string;
  #run: Run;

  private constructor(directory: string, run: Run) {
    this.directory = directory;
    this.#run = run;
  }

  static async create(runsDirectory: string, details: Pick<Run, 'recipe' | 'engine' | 'data'>): Promise<RunFolder> {
    const startedAt = new Date().toISOString();
    const id = `${startedAt.replace(/\.\d+Z$/, '').replaceAll(':', '-')}-${details.recipe.name}-${randomBytes(2).toString('hex')}`;
    const folder = new RunFolder(join(runsDirectory, id), {
      id,
      state: 'running',
      ...details,
      startedAt,
      endedAt: null,
      epochs: 0,
      bestEpoch: null,
      error: null,
      published: null,
    });
    await mkdir(folder.directory, { recursive: true });
    await folder.update({});
    return folder;
  }

  get run(): Run {
    return this.#run;
  }

  async update(change: Partial<Run>): Promise<void> {
    this.#run = { ...this.#run, ...change };
    await this.write('run.json', json(this.#run));
  }

  /** Ends the run: its state, when, and why where it did not finish. */
  async end(state: Exclude<Run['state'], 'running'>, error: Run['error'] = null): Promise<void> {
    await this.update({ state, error, endedAt: new Date().toISOString() });
  }

  /** For a process that is about to exit and can wait for nothing: a run that is still running becomes interrupted. */
  endNow(message: string): void {
    if (this.#run.state !== 'running') return;
    this.#run = {
      ...this.#run,
      state: 'interrupted',
      endedAt: new Date().toISOString(),
      error: { code: 'training-interrupted', message },
    };
    writeFileSync(join(this.directory, 'run.json'), json(this.#run));
  }

  async addEpoch(report: EpochReport): Promise<void> {
    await appendFile(join(this.directory, 'history.ndjson'), `${JSON.stringify(report)}\n`);
    await this.update({ epochs: report.epoch });
  }

  /** `path` is relative to the folder. */
  async write(path: string, data: Uint8Array | string): Promise<void> {
    const target = join(this.directory, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(`${target}.part`, data);
    await rename(`${target}.part`, target);
  }
}

/** Reads and checks a run's `run.json`. */
export async function readRun(directory: string): Promise<Run> {
  return Run.parse(JSON.parse(await readFile(join(directory, 'run.json'), 'utf8')));
}

/** JSON as we write it to files for people and programs. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
