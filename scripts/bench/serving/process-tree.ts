import { readdir, readFile } from 'node:fs/promises';

/** Of a process and all that it started, as Linux counts it. */
export interface Memory {
  /** Pages that processes share count in parts (PSS): what the machine would have back. */
  proportionalBytes: number;
  /** Pages that processes share count in each (RSS). */
  residentBytes: number;
}

/** Linux shows times in hundredths of a second, on every architecture (USER_HZ). */
const TICKS_PER_SECOND = 100;

export async function memoryOf(pid: number): Promise<Memory> {
  const total: Memory = { proportionalBytes: 0, residentBytes: 0 };
  for (const { pid: member } of await treeOf(pid)) {
    const text = await readFile(`/proc/${member}/smaps_rollup`, 'utf8').catch(() => ''); // it has ended meanwhile
    const bytes = (name: string) => 1024 * Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
    total.proportionalBytes += bytes('Pss');
    total.residentBytes += bytes('Rss');
  }
  return total;
}

/** Seconds of all cores that the processes alive now have used, user and system. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  return (await treeOf(pid)).reduce((total, { ticks }) => total + ticks, 0) / TICKS_PER_SECOND;
}

interface Entry {
  pid: number;
  parent: number;
  ticks: number;
}

async function treeOf(root: number): Promise<Entry[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const entries = (await Promise.all(pids.map(entryOf))).filter((entry) => entry !== null);
  const tree = entries.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...entries.filter(({ parent }) => parent === pid));
  return tree;
}

/** `man 5 proc_pid_stat`: the name may contain anything, so the fields are counted from its last bracket. */
async function entryOf(pid: string): Promise<Entry | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { pid: Number(pid), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
}
