import { createLog, serveUntilSignal } from '@atelier/http';
import { readConfig } from './config.ts';
import { startInference } from './start.ts';

const log = createLog('inference', 'info');

await serveUntilSignal(log, async () => {
  const config = readConfig(process.env);
  log.level = config.logLevel;
  const service = await startInference(config, log);
  await service.settled;
  process.send?.({ listening: service.url, ready: service.served() !== undefined }); // to `atelier serve`, where that started us
  return service;
});
