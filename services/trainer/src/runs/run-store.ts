import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '@atelier/domain';
import { readRun } from './run-folder.ts';
import type { RunState } from './run-states.ts';
import type { Run } from './run.ts';

/** A folder of a run as it is found: with what it says, or with the fault that names what is damaged. */
export type StoredRun = FoundRun & ({ run: Run; fault: null } | { run: null; fault: DomainError });

interface FoundRun {
  id: string;
  directory: string;
  /** A run whose `run.json` is damaged counts as failed. */
  state: RunState;
  /** When it was asked for; of a damaged one, when its folder was last changed. */
  createdAt: string;
}

/** What we name runs, and nothing that leads out of the folder of runs. */
const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,199}$/;
const REMOVED = '.removed-';

/** A process may open some hundred files; others want some too. */
const FILES_AT_ONCE = 64;

/** The runs in a folder, read from it each time: whoever else works there, it is the truth. */
export class RunStore {
  readonly directory: string;
  /** What was read before, while its `run.json` is the same file: each write makes another. */
  readonly #known = new Map<string, { version: string; stored: StoredRun }>();

  readonly #condemned = new Map<string, DomainError>();

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Has a run count as failed from now on, since a file of its folder other than `run.json` is damaged. */
  condemn(id: string, fault: DomainError): void {
    this.#condemned.set(id, fault);
  }

  /** Every run, the newest first. */
  async list(): Promise<StoredRun[]> {
    const names = await readdir(this.directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []; // made with the first run
      throw error;
    });
    const runs: StoredRun[] = [];
    for (const some of chunks(
      names.filter((name) => ID.test(name)),
      FILES_AT_ONCE,
    )) {
      const found = await Promise.all(some.map((name) => this.#read(name)));
      runs.push(...found.filter((stored) => stored !== null));
    }
    const ids = new Set(runs.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    return runs.sort((a, b) => (a.createdAt === b.createdAt ? compare(b.id, a.id) : compare(b.createdAt, a.createdAt)));
  }

  /** `run-not-found` for what is no run here, whatever the id says. */
  async find(id: string): Promise<StoredRun> {
    const stored = ID.test(id) ? await this.#read(id) : null;
    if (stored !== null) return stored;
    throw new DomainError('run-not-found', `There is no run ${JSON.stringify(id.slice(0, 200))}.`);
  }

  /** The run itself; `invalid-run` names what is damaged in it. */
  async read(id: string): Promise<Run> {
    const { run, fault } = await this.find(id);
    if (fault !== null) throw fault;
    return run;
  }

  /** Removes a run's folder; at once it is no run any more, and what a crash leaves of it goes with `removeLeftovers`. */
  async remove({ directory }: StoredRun): Promise<void> {
    const moved = join(this.directory, `${REMOVED}${randomUUID()}`);
    await rename(directory, moved);
    await rm(moved, { recursive: true, force: true });
  }

  async removeLeftovers(): Promise<void> {
    const names = await readdir(this.directory).catch(() => []);
    for (const name of names.filter((each) => each.startsWith(REMOVED))) {
      await rm(join(this.directory, name), { recursive: true, force: true });
    }
  }

  /** Null for what has no `run.json`. */
  async #read(id: string): Promise<StoredRun | null> {
    const directory = join(this.directory, id);
    const found = await stat(join(directory, 'run.json'), { bigint: true }).catch(() => null);
    if (found === null) return null;
    const condemned = this.#condemned.get(id);
    if (condemned !== undefined) return damaged(id, directory, found.mtime, condemned);
    const version = [found.ino, found.mtimeNs, found.size].join(' ');
    const known = this.#known.get(id);
    if (known?.version === version) return known.stored;
    const stored = await this.#readAnew(id, directory, found.mtime);
    // What could not be read may be readable in a moment: too many open files, a network share.
    if (!isUnreadable(stored)) this.#known.set(id, { version, stored });
    return stored;
  }

  async #readAnew(id: string, directory: string, changed: Date): Promise<StoredRun> {
    try {
      const run = await readRun(directory);
      if (run.id !== id)
        throw new DomainError('invalid-run', `${join(directory, 'run.json')}: id: expected ${id}, found ${run.id}.`);
      const createdAt = run.job?.queuedAt ?? run.startedAt ?? changed.toISOString();
      return { id, directory, state: run.state, run, fault: null, createdAt };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return damaged(id, directory, changed, error);
    }
  }
}

function damaged(id: string, directory: string, changed: Date, fault: DomainError): StoredRun {
  return { id, directory, state: 'failed', run: null, fault, createdAt: changed.toISOString() };
}

function isUnreadable({ fault }: StoredRun): boolean {
  return (fault?.cause as NodeJS.ErrnoException | undefined)?.errno !== undefined;
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
