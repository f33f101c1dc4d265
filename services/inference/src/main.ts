import { runServiceDoctor } from '@atelier/doctor';
import { createLog, serveUntilSignal } from '@atelier/http';
import { readConfig } from './config.ts';
import { startInference } from './start.ts';

if (process.argv.includes('--doctor')) {
  const { inferenceDoctor } = await import('./doctor/inference-checks.ts');
  process.exitCode = await runServiceDoctor(process.argv.slice(2), process.env, inferenceDoctor);
} else await serve();

async function serve(): Promise<never> {
  const log = createLog('inference', 'info');
  return serveUntilSignal(log, async () => {
    const config = readConfig(process.env);
    log.level = config.logLevel;
    const service = await startInference(config, log);
    // To `atelier serve`, where that started us. Not awaited: who stops a service that loads a model need not wait for that.
    void service.settled.then(() => {
      if (process.connected) process.send?.({ listening: service.url, ready: service.served() !== undefined });
    });
    return service;
  });
}
