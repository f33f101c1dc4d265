import type { Sample } from '../../benchmark.ts';
import { cpuSecondsOf } from '../process-tree.ts';
import type { RunningServer } from '../server-process.ts';
import { evaluated, type SetBody } from './evaluations.ts';
import { STEPS } from './variant-names.ts';

/** Evaluates a set of so many images once; CPU time is that of all processes of the service. */
export async function measuredPass(server: RunningServer, body: SetBody, examples: number): Promise<Sample> {
  const before = await cpuSecondsOf(server.pid);
  const { report, seconds } = await evaluated(server.port, body, examples);
  const cpuSeconds = (await cpuSecondsOf(server.pid)) - before;
  const steps = STEPS.map((step) => [`${step}Ms`, report.timingsMs[step] ?? 0] as const);
  const cpuMicroseconds = (1e6 * cpuSeconds) / examples;
  return { seconds, perSecond: examples / seconds, cpuMicroseconds, ...Object.fromEntries(steps) };
}
