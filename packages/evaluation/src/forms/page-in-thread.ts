import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { EvaluationReport } from '../report.ts';

const ENTRY = new URL('./page-worker.mjs', import.meta.url);
const PAGE = new URL(import.meta.url.endsWith('.ts') ? './page/page.ts' : './page/page.js', import.meta.url);

/**
 * `reportPage` in a thread of its own, for a service: drawing the charts takes a core for a second or two, in which the
 * thread that asks goes on answering. The thread and what it has loaded are gone when this resolves.
 */
export async function reportPageInThread(report: EvaluationReport): Promise<string> {
  const worker = new Worker(ENTRY, { workerData: { module: PAGE.href, report } });
  try {
    const [page] = (await once(worker, 'message')) as [string]; // an error of the thread rejects it
    return page;
  } finally {
    await worker.terminate();
  }
}
