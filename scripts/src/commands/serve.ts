import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Argument, Command } from '@commander-js/extra-typings';
import { note, print } from '../output.ts';
import type { Settings } from '../settings.ts';

const SERVICES = ['inference', 'trainer'] as const;
type ServiceName = (typeof SERVICES)[number];

export function serveCommand(settings: Settings) {
  return new Command('serve')
    .description('Start both services, or one, and stop them with Ctrl-C.')
    .addArgument(new Argument('[service]', 'only this one').choices(SERVICES))
    .addHelpText(
      'after',
      `
Environment: INFERENCE_HOST, INFERENCE_PORT (127.0.0.1:8080), TRAINER_HOST, TRAINER_PORT (127.0.0.1:8081),
MODELS_DIR (models/), RUNS_DIR (runs/), LOG_LEVEL (info); the services' README files list the rest.`,
    )
    .action(async (only) => {
      const environment = {
        ...process.env,
        MODELS_DIR: settings.modelsDirectory,
        RUNS_DIR: settings.runsDirectory,
      };
      const services = (only === undefined ? SERVICES : [only]).map((name) => new Service(name, settings, environment));
      // A terminal sends Ctrl-C to the services as well; they take a second signal for the first.
      const stop = () => services.forEach((service) => service.stop());
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
      if (process.env['npm_lifecycle_event'] !== undefined) whenOrphaned(stop);
      const exits = services.map((service) => service.exited);
      try {
        await Promise.all(services.map((service) => service.listening));
        announce(services);
        const codes = await firstFailureOrAll(exits);
        if (codes.some((code) => code !== 0)) process.exitCode = 1;
      } finally {
        stop();
        await Promise.all(exits);
      }
    });
}

/** One service in a process of its own, so that a crash of its native libraries is its own. */
class Service {
  readonly name: ServiceName;
  /** Resolves to the address; rejects when the process ends before it listens. */
  readonly listening: Promise<string>;
  /** Resolves to the exit code, null after a signal. */
  readonly exited: Promise<number | null>;
  readonly #process: ChildProcess;
  url = '';

  constructor(name: ServiceName, { root }: Settings, environment: NodeJS.ProcessEnv) {
    this.name = name;
    const entry = fileURLToPath(new URL(`../../../services/${name}/src/main.ts`, import.meta.url));
    this.#process = fork(entry, { cwd: root, env: environment, execArgv: ['--import', import.meta.resolve('tsx')] });
    this.exited = once(this.#process, 'exit').then(([code]) => code as number | null);
    this.listening = Promise.race([this.#address(), this.#failure()]);
    this.listening.catch(() => undefined); // awaited later, together with the other service's
  }

  stop(): void {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill('SIGTERM');
  }

  async #address(): Promise<string> {
    for (;;) {
      const [message] = (await once(this.#process, 'message')) as [{ listening?: string }];
      if (message.listening !== undefined) return (this.url = message.listening);
    }
  }

  async #failure(): Promise<never> {
    const code = await this.exited;
    throw new Error(`The ${this.name} service did not start (exit ${code ?? 'by a signal'}); its log is above.`);
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

/** Waits for all to end, or for the first that ends by itself with a failure. */
async function firstFailureOrAll(exits: Promise<number | null>[]): Promise<(number | null)[]> {
  const failure = new Promise<[number | null]>((resolve) => {
    for (const exit of exits) void exit.then((code) => code !== 0 && resolve([code]));
  });
  return Promise.race([Promise.all(exits), failure]);
}

function announce(services: Service[]): void {
  print('');
  for (const { name, url } of services) print(`  ${name.padEnd(10)} ${url}`);
  const inference = services.find(({ name }) => name === 'inference');
  if (inference) print(`\n  Try: curl -F image=@shoe.png ${inference.url}/predict`);
  note('  Stop with Ctrl-C.\n');
}
