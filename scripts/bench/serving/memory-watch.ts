import { setTimeout as pause } from 'node:timers/promises';
import { memoryOf } from './process-tree.ts';

const INTERVAL_MS = 500;

/** The most memory that a process and what it started held while `task` ran, as it was looked at twice a second. */
export async function largestMemoryDuring<T>(pid: number, task: () => Promise<T>): Promise<[T, number]> {
  let largest = 0;
  let isOver = false;
  const watch = async () => {
    while (!isOver) {
      largest = Math.max(largest, (await memoryOf(pid)).proportionalBytes);
      if (!isOver) await pause(INTERVAL_MS);
    }
  };
  const watching = watch();
  try {
    return [await task(), largest];
  } finally {
    isOver = true;
    await watching;
  }
}
