// The thread of `reportPageInThread`. A thread does not have its parent's loader of TypeScript, so this is JavaScript.
/* eslint-disable @typescript-eslint/no-unsafe-assignment -- the linter sees no JSDoc casts; the compiler does */
import { parentPort, workerData } from 'node:worker_threads';

/** @type {{ module: string, report: import('../report.ts').EvaluationReport }} */
const { module, report } = workerData;
if (module.endsWith('.ts')) (await import('tsx/esm/api')).register();
/** @type {typeof import('./page/page.ts')} */
const { reportPage } = await import(module);
parentPort?.postMessage(await reportPage(report)); // what goes wrong ends the thread, and rejects what waits for it
