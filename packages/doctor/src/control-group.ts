import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** What a container, or a service's control group, allows; null where it limits nothing. */
export interface ControlGroup {
  /** Which kind of file said so. */
  version: 1 | 2 | null;
  /** Processors' time at a time: 1.5 is one and a half. */
  cores: number | null;
  memoryBytes: number | null;
}

/** Where Linux shows them. */
export interface ControlGroupFiles {
  /** The file systems of both versions. */
  root: string;
  /** Which groups this process is in, a line for each hierarchy: "0::/system.slice" is that of version 2. */
  membership: string;
}

const LINUX: ControlGroupFiles = { root: '/sys/fs/cgroup', membership: '/proc/self/cgroup' };

/** Version 1 writes "no limit" as the largest number of pages. */
const UNLIMITED_BYTES = 2 ** 60;

/**
 * The limits of this process's control groups, the smallest among its own and those above it; of version 2 where that has
 * any, else of version 1 (https://docs.kernel.org/admin-guide/cgroup-v2.html).
 */
export function readControlGroup(files: ControlGroupFiles = LINUX): ControlGroup {
  const memberships = linesOf(files.membership);
  const own = memberships.find((line) => line.startsWith('0::'))?.slice('0::'.length) ?? '/';
  const unified = upwards(join(files.root), own);
  const second: ControlGroup = {
    version: 2,
    cores: smallest(unified.map((folder) => quotient(...pair(text(join(folder, 'cpu.max')).split(' '))))),
    memoryBytes: smallest(unified.map((folder) => amount(text(join(folder, 'memory.max'))))),
  };
  if (second.cores !== null || second.memoryBytes !== null) return second;
  const foldersOf = (controller: string) => {
    const line = memberships.find((each) => (each.split(':')[1] ?? '').split(',').includes(controller));
    return upwards(join(files.root, controller), line?.split(':').slice(2).join(':') ?? '/');
  };
  const first: ControlGroup = {
    version: 1,
    cores: smallest(
      foldersOf('cpu').map((folder) =>
        quotient(text(join(folder, 'cpu.cfs_quota_us')), text(join(folder, 'cpu.cfs_period_us'))),
      ),
    ),
    memoryBytes: smallest(foldersOf('memory').map((folder) => amount(text(join(folder, 'memory.limit_in_bytes'))))),
  };
  if (first.cores !== null || first.memoryBytes !== null) return first;
  return { version: null, cores: null, memoryBytes: null };
}

/** The folder of a group and of those above it; in a container the first may not be shown, and the last is its own. */
function upwards(root: string, path: string): string[] {
  const own = posix.normalize(path);
  return own === '/' || own === '.' ? [root] : [join(root, own), ...upwards(root, posix.dirname(own))];
}

function pair([first = '', second = '']: string[]): [string, string] {
  return [first, second];
}

/** "150000" of "100000" microseconds are 1.5; "max" and -1 are no limit. */
function quotient(quota: string, period: string): number | null {
  const cores = Number(quota || NaN) / Number(period || NaN);
  return Number.isFinite(cores) && cores > 0 ? cores : null;
}

function amount(bytes: string): number | null {
  const limit = Number(bytes || NaN);
  return Number.isFinite(limit) && limit > 0 && limit < UNLIMITED_BYTES ? limit : null;
}

function smallest(limits: (number | null)[]): number | null {
  const set = limits.filter((limit) => limit !== null);
  return set.length === 0 ? null : Math.min(...set);
}

function linesOf(path: string): string[] {
  return text(path).split('\n').filter(Boolean);
}

/** Empty where it cannot be read: another system, or no such group. */
function text(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
