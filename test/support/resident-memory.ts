import { readdirSync, readFileSync } from 'node:fs';

/** Resident memory of a process, else of this one, and of all that it has started, in bytes; Linux. */
export function residentBytes(root = process.pid): number {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = /^PPid:\s+(\d+)$/m.exec(statusOf(entry))?.[1];
    if (parent !== undefined) parents.set(Number(entry), Number(parent));
  }
  const ours = new Set([root]);
  for (let size = 0; size !== ours.size;) {
    size = ours.size;
    for (const [child, parent] of parents) if (ours.has(parent)) ours.add(child);
  }
  const kibibytes = [...ours].map((id) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(statusOf(String(id)))?.[1] ?? 0));
  return 1024 * kibibytes.reduce((sum, size) => sum + size, 0);
}

/** Empty for a process that has ended. */
function statusOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/status`, 'utf8');
  } catch {
    return '';
  }
}
