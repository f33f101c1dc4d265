import { setTimeout as pause } from 'node:timers/promises';
import { hasCode } from '@atelier/domain';
import { RunFolder } from './run-folder.ts';

const POLL_MS = 50;

/**
 * What `work` does with a run's folder, which is given back however that ends. `run-in-use` where another process keeps it
 * for longer than `patienceMs`.
 */
export async function withRunFolder<Result>(
  directory: string,
  patienceMs: number,
  work: (folder: RunFolder) => Promise<Result>,
): Promise<Result> {
  const folder = await openWithin(directory, patienceMs);
  try {
    return await work(folder);
  } finally {
    await folder.release();
  }
}

async function openWithin(directory: string, patienceMs: number): Promise<RunFolder> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await RunFolder.open(directory);
    } catch (error) {
      if (!hasCode(error, 'run-in-use') || performance.now() > deadline) throw error;
      await pause(POLL_MS);
    }
  }
}
