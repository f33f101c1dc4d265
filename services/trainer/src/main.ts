import { createLog, listen, serveUntilSignal } from '@atelier/http';
import { buildTrainerApp, findFault } from './app.ts';
import { readTrainerConfig } from './config.ts';

const startLog = createLog('trainer', 'info');

await serveUntilSignal(startLog, async () => {
  const config = readTrainerConfig(process.env);
  const log = createLog('trainer', config.logLevel);
  const fault = await findFault(config.runsDirectory);
  if (fault !== null) log.error(fault.message);
  const listening = await listen(buildTrainerApp({ log, fault }), config.host, config.port, { log });
  log.info({ url: listening.url }, 'Trainer listens');
  process.send?.({ listening: listening.url, ready: fault === null }); // to `atelier serve`, where that started us
  return listening;
});
