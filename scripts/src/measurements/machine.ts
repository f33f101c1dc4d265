import { availableParallelism, cpus, totalmem } from 'node:os';
import { z } from 'zod';

/** What a figure was measured on. */
export const Machine = z.strictObject({
  processor: z.string(),
  cores: z.int().positive().describe('Logical ones that this process may use'),
  memoryGiB: z.number().positive(),
  system: z.string().describe('Operating system and architecture, as Node calls them'),
  node: z.string(),
  onnxruntime: z.string(),
});
export type Machine = z.infer<typeof Machine>;

export function describeMachine(onnxruntime: string): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    system: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    onnxruntime,
  };
}

/** A sentence without its end. */
export function machineInWords({ processor, cores, memoryGiB, system, node, onnxruntime }: Machine): string {
  return `${processor}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${memoryGiB} GiB, ${system}, Node ${node}, onnxruntime ${onnxruntime}`;
}
