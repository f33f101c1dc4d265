import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Where a container finds its share of the processors: "max 100000", or microseconds per period, for example "150000 100000". */
const CGROUP_V2 = '/sys/fs/cgroup/cpu.max';

/**
 * The cores that this process may keep busy, at least 1: those of its affinity, and of its control group's quota (Linux,
 * cgroup v2), which `availableParallelism` of Node 20 does not look at.
 */
export function usableCores(cpuMaxFile: string = CGROUP_V2): number {
  const cores = availableParallelism();
  const [quota, period] = readQuota(cpuMaxFile).split(/\s+/).map(Number);
  if (quota === undefined || period === undefined || !Number.isFinite(quota / period)) return cores;
  return Math.max(1, Math.min(cores, Math.floor(quota / period)));
}

function readQuota(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return ''; // another system, or no control group
  }
}
