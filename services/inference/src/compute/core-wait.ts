import { readFileSync } from 'node:fs';

const NANOSECONDS_PER_MS = 1e6;

/**
 * How long the main thread of process `pid` has waited for a core in its life, in ms: the second number of
 * `/proc/PID/schedstat` (Linux, Documentation/scheduler/sched-stats.rst), in which a group that has used up its share of
 * the cores waits too. A wait counts from its end on. 0 where the system does not tell.
 */
export function waitedForCoreMs(pid: number): number {
  try {
    const waited = Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]);
    return Number.isFinite(waited) ? waited / NANOSECONDS_PER_MS : 0;
  } catch {
    return 0; // another system, a sandbox without it, or a process that has ended
  }
}
