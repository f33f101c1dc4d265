import { readFile } from 'node:fs/promises';
import { until } from './until.ts';

const LIMIT_MS = 20_000;

/** Waits until no process has the number any more; fails after twenty seconds. */
export function processGone(pid: number): Promise<void> {
  return until(`process ${pid} is gone`, () => isGone(pid), LIMIT_MS);
}

/** True also of one that has ended and whose parent has not asked how: it may take its time. */
export async function isGone(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return state === null || state.includes(') Z ');
}
