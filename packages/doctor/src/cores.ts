import { availableParallelism } from 'node:os';
import { type ControlGroup, readControlGroup } from './control-group.ts';

/**
 * The cores that this process may keep busy, at least 1: those of its affinity, and of its control group's quota (Linux),
 * which `availableParallelism` of Node 20 does not look at.
 */
export function usableCores({ cores }: Pick<ControlGroup, 'cores'> = readControlGroup()): number {
  const allowed = availableParallelism();
  return cores === null ? allowed : Math.max(1, Math.min(allowed, Math.floor(cores)));
}
