import type { LoadPlan, LoadReport } from './load/load-plan.ts';
import { processWithTask } from './process-with-task.ts';
import { cpuSecondsOf } from './process-tree.ts';
import type { RunningServer } from './server-process.ts';

export interface MeasuredLoad extends LoadReport {
  /** Of the server, with all its processes, for each request that was sent. */
  serverCpuSecondsPerRequest: number;
}

/** Puts the load on the server from a process of its own. */
export async function measuredLoad(server: RunningServer, plan: Omit<LoadPlan, 'port'>): Promise<MeasuredLoad> {
  const before = await cpuSecondsOf(server.pid);
  const report = await processWithTask<LoadReport>('serving/load/load-process', { ...plan, port: server.port });
  const used = (await cpuSecondsOf(server.pid)) - before;
  return { ...report, serverCpuSecondsPerRequest: used / report.sent };
}

/** Of what was answered with 200, in a second. */
export function goodput({ byStatus, seconds }: LoadReport): number {
  return (byStatus[200]?.count ?? 0) / seconds;
}

/** Answers of any status, in a second. */
export function answersPerSecond({ byStatus, seconds }: LoadReport): number {
  return Object.values(byStatus).reduce((total, { count }) => total + count, 0) / seconds;
}

/** Figures of a load in which anything went wrong mean nothing, so that is an error. */
export function requireFlawless(report: LoadReport): void {
  const { byStatus, lost, short, hung, wrong, unsent, firstWrong } = report;
  const statuses = Object.keys(byStatus).filter((status) => status !== '200');
  if (statuses.length === 0 && lost + short + hung + wrong + unsent === 0) return;
  const faults = { statuses, lost, short, hung, wrong, unsent, firstWrong };
  throw new Error(`Not every request was answered as it should be: ${JSON.stringify(faults)}`);
}
