import { runServiceDoctor } from '@atelier/doctor';
import { createLog, serveUntilSignal } from '@atelier/http';
import { readTrainerConfig } from './config.ts';
import { startTrainer } from './start.ts';

if (process.argv.includes('--doctor')) {
  const { trainerDoctor } = await import('./doctor/trainer-checks.ts');
  process.exitCode = await runServiceDoctor(process.argv.slice(2), process.env, trainerDoctor);
} else await serve();

async function serve(): Promise<never> {
  const log = createLog('trainer', 'info');
  return serveUntilSignal(log, async () => {
    const config = readTrainerConfig(process.env);
    log.level = config.logLevel;
    const service = await startTrainer(config, log);
    process.send?.({ listening: service.url, ready: service.ready }); // to `atelier serve`, where that started us
    return service;
  });
}
