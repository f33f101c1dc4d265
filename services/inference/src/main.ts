import { createLog, serveUntilSignal } from '@atelier/http';
import { readConfig } from './config.ts';
import { startInference } from './start.ts';

const log = createLog('inference', 'info');

await serveUntilSignal(log, async () => {
  const config = readConfig(process.env);
  log.level = config.logLevel;
  const service = await startInference(config, log);
  // To `atelier serve`, where that started us. Not awaited: who stops a service that loads a model need not wait for that.
  void service.settled.then(() => {
    if (process.connected) process.send?.({ listening: service.url, ready: service.served() !== undefined });
  });
  return service;
});
