import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Gpu } from './gpu-results.ts';

/** Where the NVIDIA driver describes itself. */
const PROC = '/proc/driver/nvidia';

/** The first NVIDIA GPU, by nvidia-smi or by what the driver says in /proc; null where there is none. */
export function findGpu(program = 'nvidia-smi', proc = PROC): Gpu | null {
  const fields = query(program, 'name,driver_version,memory.total')[0];
  if (fields !== undefined) {
    const [name = '', driver = '', memory = ''] = fields;
    return { name, driver, memoryMiB: Number.parseInt(memory, 10) || null };
  }
  return describedByDriver(proc);
}

/**
 * What of the memory of all GPUs is in use, by whomever, in bytes; null where nvidia-smi does not say. Of all, because WebGPU
 * and CUDA_VISIBLE_DEVICES choose among several, and not always the first.
 */
export function usedGpuBytes(program = 'nvidia-smi'): number | null {
  const used = query(program, 'memory.used').map(([mebibytes = '']) => Number.parseInt(mebibytes, 10));
  const known = used.filter((mebibytes) => !Number.isNaN(mebibytes));
  return known.length === 0 ? null : known.reduce((sum, mebibytes) => sum + mebibytes) * 2 ** 20;
}

/** A row for each GPU; none where the program is not there or fails. */
function query(program: string, fields: string): string[][] {
  const words = [`--query-gpu=${fields}`, '--format=csv,noheader,nounits'];
  const { status, stdout } = spawnSync(program, words, { encoding: 'utf8', timeout: 10_000 });
  if (status !== 0) return [];
  const lines = stdout.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => line.split(',').map((field) => field.trim()));
}

function describedByDriver(proc: string): Gpu | null {
  try {
    const [first] = readdirSync(join(proc, 'gpus'));
    if (first === undefined) return null;
    const name =
      /^Model:\s*(.+)$/m.exec(readFileSync(join(proc, 'gpus', first, 'information'), 'utf8'))?.[1] ?? 'NVIDIA';
    const driver = /Kernel Module(?: for \S+)?\s+([\d.]+)/.exec(readFileSync(join(proc, 'version'), 'utf8'))?.[1];
    return { name: name.trim(), driver: driver ?? 'unknown', memoryMiB: null };
  } catch {
    return null;
  }
}
