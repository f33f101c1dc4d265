import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import type { Check } from '../check.ts';
import { type ControlGroup, readControlGroup } from '../control-group.ts';
import { usableCores } from '../cores.ts';
import { sizeInWords } from '../sizes.ts';

/** Both services at work, with room for pictures and a training: below this the kernel may end one of them. */
const ENOUGH_MEMORY_BYTES = 1.5 * 2 ** 30;

export function coresCheck(group: ControlGroup = readControlGroup()): Check {
  return {
    group: 'machine',
    name: 'cores',
    examine: () => {
      const usable = usableCores(group);
      const facts = { usable, allowed: availableParallelism(), quota: group.cores, model: modelName() };
      const limit =
        group.cores === null
          ? 'no quota'
          : `a quota of ${group.cores} by cgroup v${group.version}, of ${facts.allowed} that may be used`;
      return { status: 'ok', summary: `${usable} (${limit}), ${modelName()}`, facts };
    },
  };
}

export function memoryCheck(group: ControlGroup = readControlGroup()): Check {
  return {
    group: 'machine',
    name: 'memory',
    examine: () => {
      const totalBytes = totalmem();
      const usableBytes = Math.min(totalBytes, group.memoryBytes ?? Infinity);
      const facts = { usableBytes, totalBytes, limitBytes: group.memoryBytes, freeBytes: freemem() };
      const limit =
        group.memoryBytes === null
          ? 'no limit'
          : `a limit by cgroup v${group.version}, of ${sizeInWords(totalBytes)} in the machine`;
      const summary = `${sizeInWords(usableBytes)} (${limit})`;
      if (usableBytes >= ENOUGH_MEMORY_BYTES) return { status: 'ok', summary, facts };
      return {
        status: 'note',
        summary: `${summary}: little for both services and a training`,
        remedy: `Give ${sizeInWords(ENOUGH_MEMORY_BYTES)} or more, or set INFERENCE_MAX_BODIES_BYTES and INFERENCE_DECODERS lower.`,
        facts,
      };
    },
  };
}

function modelName(): string {
  const model = cpus()[0]?.model.trim() ?? '';
  return model === '' ? 'processor unknown' : model;
}
