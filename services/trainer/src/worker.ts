// A worker: trains what services put into the queue that they share, on any machine that shares the folder of runs.
import { createLog, serveUntilSignal } from '@atelier/http';
import { readWorkerConfig } from './config.ts';
import { startWorker } from './start.ts';

const log = createLog('worker', 'info');

await serveUntilSignal(log, async () => {
  const config = readWorkerConfig(process.env);
  log.level = config.logLevel;
  const worker = await startWorker(config, log);
  process.send?.({ listening: 'waits for runs', ready: true }); // to `atelier serve worker`, where that started us
  return worker;
});
