import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync, rmSync } from 'node:fs';
import { link, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DomainError, messageOf } from '@atelier/domain';
import { z } from 'zod';
import { storageError } from './whole-file.ts';

const LOCK_FILE = 'lock';
const HEARTBEAT_MS = 15_000;
/** An owner on another machine or in another container that has not touched its lock for so long is gone. */
const SILENCE_MS = 60_000;

/** Who works in a run's folder. */
const Owner = z.strictObject({
  host: z.string(),
  pid: z.int().positive(),
  /**
   * In which `pid` counts: containers can share a host's name and have processes of the same number (pid_namespaces(7)).
   * Null where the system does not tell, and in older locks.
   */
  pidNamespace: z.string().nullable().default(null),
  /** When the process started, in clock ticks since boot; null where the system does not tell (it has no /proc). */
  processStart: z.string().nullable(),
  since: z.iso.datetime(),
  /** Tells two owners in one process apart. */
  token: z.string(),
});
type Owner = z.infer<typeof Owner>;

const PID_NAMESPACE = pidNamespace();

/** Tokens of the locks that this process holds; a lock of this process without its token here is an older process's. */
const held = new Set<string>();

/**
 * The right to write into a run's folder, for one process at a time: a file that only one can create. It outlives an
 * owner that was killed, and then counts for nothing.
 */
export class RunLock {
  readonly #path: string;
  readonly #owner: Owner;
  readonly #heartbeat: NodeJS.Timeout;

  private constructor(path: string, owner: Owner) {
    this.#path = path;
    this.#owner = owner;
    held.add(owner.token);
    this.#heartbeat = setInterval(() => this.#touch(), HEARTBEAT_MS).unref();
  }

  /** `run-in-use` says who has it. */
  static async acquire(directory: string): Promise<RunLock> {
    const path = join(directory, LOCK_FILE);
    const owner: Owner = {
      host: hostname(),
      pid: process.pid,
      pidNamespace: PID_NAMESPACE,
      processStart: startOf(process.pid),
      since: new Date().toISOString(),
      token: randomUUID(),
    };
    for (;;) {
      if (await created(path, owner)) return new RunLock(path, owner);
      const found = await readLock(path);
      if (found === null) continue; // given back meanwhile
      if (!isGone(found)) throw inUse(directory, found.owner);
      await removeStale(path, found.text);
    }
  }

  /** `run-in-use` where another process took the lock for abandoned: before each write that would harm it. */
  async requireHeld(directory: string): Promise<void> {
    const found = await readLock(this.#path);
    if (found?.owner?.token !== this.#owner.token) throw inUse(directory, found?.owner ?? null);
  }

  async release(): Promise<void> {
    this.#letGo();
    if ((await readLock(this.#path))?.owner?.token === this.#owner.token) await rm(this.#path, { force: true });
  }

  /** False where another process took the lock over, and where it cannot be read. */
  isHeldNow(): boolean {
    return ownerNow(this.#path)?.token === this.#owner.token;
  }

  /** For a process that is about to exit and can wait for nothing. */
  releaseNow(): void {
    this.#letGo();
    if (this.isHeldNow()) rmSync(this.#path, { force: true });
  }

  #letGo(): void {
    clearInterval(this.#heartbeat);
    held.delete(this.#owner.token);
  }

  #touch(): void {
    const now = new Date();
    // A lock that is lost shows at the next write; a beat that fails is only one beat.
    utimes(this.#path, now, now).catch(() => undefined);
  }
}

/** True when the lock of a run's folder is of the process `pid` of this machine. */
export function isHeldByProcess(directory: string, pid: number | undefined): boolean {
  const owner = ownerNow(join(directory, LOCK_FILE));
  return owner !== null && owner.pid === pid && isOfHere(owner);
}

interface FoundLock {
  text: string;
  /** Null while its creator has not written it yet, or when it was killed before. */
  owner: Owner | null;
  silentMs: number;
}

async function created(path: string, owner: Owner): Promise<boolean> {
  const file = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return null;
    throw storageError(error, path);
  });
  if (file === null) return false;
  try {
    await file.writeFile(JSON.stringify(owner));
    return true;
  } catch (error) {
    await rm(path, { force: true }); // an empty lock would count for a minute
    throw storageError(error, path);
  } finally {
    await file.close();
  }
}

async function readLock(path: string): Promise<FoundLock | null> {
  try {
    const [text, { mtimeMs }] = [await readFile(path, 'utf8'), await stat(path)];
    return { text, owner: parseOwner(text), silentMs: Date.now() - mtimeMs };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new DomainError('invalid-run', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function ownerNow(path: string): Owner | null {
  try {
    return parseOwner(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

function parseOwner(text: string): Owner | null {
  try {
    return Owner.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function isGone({ owner, silentMs }: FoundLock): boolean {
  if (owner === null || !isOfHere(owner)) return silentMs > SILENCE_MS;
  if (owner.pid === process.pid) return !held.has(owner.token); // a container's first process has the same pid again
  return !isAlive(owner.pid) || (owner.processStart !== null && owner.processStart !== startOf(owner.pid));
}

/** Whether we can look for the owner's process. */
function isOfHere({ host, pidNamespace }: Owner): boolean {
  if (host !== hostname()) return false;
  return pidNamespace === null || PID_NAMESPACE === null || pidNamespace === PID_NAMESPACE;
}

/** "pid:[4026531836]" on Linux. */
function pidNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // another user's
  }
}

/**
 * Tells a process from a later one with the same pid: field 22 of proc_pid_stat(5), behind the name in parentheses. Null
 * for one that has ended and whose parent has not asked how: a container's first process may never ask.
 */
function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? null : (fields[18] ?? null);
  } catch {
    return null;
  }
}

/** Moves the lock away and looks again: two that found it stale may have come here, and the other may hold a new one. */
async function removeStale(path: string, staleText: string): Promise<void> {
  const moved = `${path}.${randomUUID()}`;
  try {
    await rename(path, moved);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(moved, 'utf8')) !== staleText) {
    // Where a third was faster still, the owner of this one finds out by `requireHeld`.
    await link(moved, path).catch(() => undefined);
  }
  await rm(moved, { force: true });
}

function inUse(directory: string, owner: Owner | null): DomainError {
  const who = owner === null ? 'another process' : `process ${owner.pid} on ${owner.host} since ${owner.since}`;
  return new DomainError('run-in-use', `${directory} is in use by ${who}.`);
}
