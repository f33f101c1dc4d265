import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@atelier/domain';

/** Null where there is no such file. */
export async function readTextIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Writes beside and renames, so that nobody sees half a file and a failure leaves nothing. */
export async function writeWholeFile(path: string, data: Uint8Array | string): Promise<void> {
  const part = `${path}.part`;
  try {
    await writeFile(part, data);
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true });
    throw new Error(`${path} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

/** What files of one folder are to have in them, by name; chunks one after the other. */
export type FileContents = Readonly<Record<string, readonly Uint8Array[]>>;

/**
 * Writes files that belong together: under their names into a folder inside `folder`, where `isGood` may look at them, and
 * renamed only when it says so; gives what it said. Otherwise, and at a failure or an interruption, nothing is left.
 */
export async function writeWholeFiles(
  folder: string,
  contents: FileContents,
  isGood: (partFolder: string) => Promise<boolean> = async () => true,
): Promise<boolean> {
  const names = Object.keys(contents);
  const refused = (cause: unknown) =>
    new Error(`${join(folder, names[0] ?? '')} cannot be written: ${messageOf(cause)}`, { cause });
  const part = await mkdtemp(join(folder, `${names[0]}.part-`)).catch((cause: unknown) => {
    throw refused(cause);
  });
  const stopGuarding = removeWhenInterrupted(part);
  try {
    for (const [name, chunks] of Object.entries(contents)) {
      await writeFile(join(part, name), chunks).catch((cause: unknown) => {
        throw refused(cause);
      });
    }
    if (!(await isGood(part))) return false;
    // The last one first: a model's data is there when the model comes.
    for (const name of names.toReversed()) {
      await rename(join(part, name), join(folder, name)).catch((cause: unknown) => {
        throw refused(cause);
      });
    }
    return true;
  } finally {
    await rm(part, { recursive: true, force: true });
    stopGuarding();
  }
}

/** Ctrl-C still ends the process, after the folder is gone. */
function removeWhenInterrupted(folder: string): () => void {
  const interrupt = (signal: NodeJS.Signals) => {
    rmSync(folder, { recursive: true, force: true });
    stop();
    process.kill(process.pid, signal);
  };
  const stop = () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, interrupt);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  return stop;
}
