import { readConfig as readInferenceConfig } from '@atelier/inference';
import { readTrainerConfig, readWorkerConfig } from '@atelier/trainer';
import { Argument, Command } from '@commander-js/extra-typings';
import type { StopSignal } from '@atelier/http';
import { note, print } from '../output.ts';
import { SERVICE_NAMES, type ServiceName, ServiceProcess } from '../service-process.ts';
import type { Settings } from '../settings.ts';

const BOTH: readonly ServiceName[] = ['inference', 'trainer'];

const READERS: Record<ServiceName, (environment: NodeJS.ProcessEnv) => unknown> = {
  inference: readInferenceConfig,
  trainer: readTrainerConfig,
  worker: readWorkerConfig,
};

export function serveCommand(settings: Settings) {
  return new Command('serve')
    .description('Start both services, or one, and stop them with Ctrl-C.')
    .addArgument(
      new Argument('[service]', 'only this one; a worker trains what the trainer queues in Redis').choices(
        SERVICE_NAMES,
      ),
    )
    .addHelpText(
      'after',
      `
Environment: INFERENCE_HOST, INFERENCE_PORT (127.0.0.1:8080), TRAINER_HOST, TRAINER_PORT (127.0.0.1:8081),
MODELS_DIR (models/), RUNS_DIR (runs/), LOG_LEVEL (info); a worker needs QUEUE_URL; the services' README files list the rest.`,
    )
    .action(async (only) => {
      const environment = {
        ...process.env,
        MODELS_DIR: settings.modelsDirectory,
        RUNS_DIR: settings.runsDirectory,
      };
      const names = only === undefined ? BOTH : [only];
      // The services read these themselves; read here as well, a fault is wrong usage and says so in one line.
      for (const name of names) READERS[name](environment);
      const services = names.map((name) => ServiceProcess.start(name, settings.root, environment));
      await runUntilStopped(await Promise.all(services));
    });
}

/** Runs the services until a signal stops them. One that does not start or ends by itself stops the others: exit 1. */
async function runUntilStopped(services: ServiceProcess[]): Promise<void> {
  let stopping = false;
  const stop = (signal: StopSignal) => {
    stopping = true;
    services.forEach((service) => service.stop(signal));
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  if (process.env['npm_lifecycle_event'] !== undefined) whenOrphaned(() => stop('SIGTERM'));
  const exits = services.map((service) => service.exited);
  try {
    await Promise.race([Promise.all(services.map((service) => service.listening)), Promise.all(exits)]);
    if (!stopping) announce(services);
    const { name, code } = await Promise.race(exits);
    if (!stopping) throw new Error(`The ${name} service ended by itself (${code ?? 'by a signal'}).`);
    if ((await Promise.all(exits)).some((exit) => exit.code !== 0)) process.exitCode = 1;
  } finally {
    if (!stopping) stop('SIGINT');
    await Promise.all(exits);
  }
}

/** Who ends npm by a signal ends it and its shell, and no signal reaches us: only our parent changes. */
function whenOrphaned(stop: () => void): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, 250);
  watch.unref();
}

function announce(services: ServiceProcess[]): void {
  print('');
  for (const { name, address } of services) {
    print(`  ${name.padEnd(10)} ${address.listening}${address.ready ? '' : '  (not ready: its log above says why)'}`);
  }
  const inference = services.find(({ name }) => name === 'inference')?.address;
  if (inference?.ready) print(`\n  Try: curl -F image=@shoe.png ${inference.listening}/predict`);
  note('  Stop with Ctrl-C.\n');
}
