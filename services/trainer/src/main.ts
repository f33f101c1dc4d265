import { createLog, serveUntilSignal } from '@atelier/http';
import { readTrainerConfig } from './config.ts';
import { startTrainer } from './start.ts';

const log = createLog('trainer', 'info');

await serveUntilSignal(log, async () => {
  const config = readTrainerConfig(process.env);
  log.level = config.logLevel;
  const service = await startTrainer(config, log);
  process.send?.({ listening: service.url, ready: service.ready }); // to `atelier serve`, where that started us
  return service;
});
