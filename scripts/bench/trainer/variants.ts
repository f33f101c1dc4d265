// Measures in a process of its own how soon the trainer's service answers, at rest and while it trains.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { Sample, SampleOptions, Variants } from '../benchmark.ts';
import { program } from '../../src/programs.ts';
import { measureVariant } from '../measure-variant.ts';

/** Between two requests, in ms: nobody asks a probe more often. */
const PAUSE_MS = 10;

const VARIANTS: Variants = {
  'at-rest': (options) => withService(options, (url) => latencies(url, options.isQuick)),
  'while-it-trains': (options) =>
    withService(options, async (url) => {
      await startRun(url, options.isQuick ? QUICK_LIMIT : null);
      return latencies(url, options.isQuick);
    }),
};

async function withService(options: SampleOptions, measure: (url: string) => Promise<Sample>): Promise<Sample> {
  await mkdir(options.runsDirectory, { recursive: true });
  const folder = await mkdtemp(join(options.runsDirectory, 'benchmark-'));
  const environment = {
    ...process.env,
    ...{ RUNS_DIR: join(folder, 'runs'), MODELS_DIR: join(folder, 'models'), TRAINER_PORT: '0', LOG_LEVEL: 'info' },
    TRAINER_DATASET_CACHE: options.datasetCache,
  };
  const service = spawn(process.execPath, [await program('trainer')], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    return await measure(await urlOf(service.stdout));
  } finally {
    service.kill('SIGTERM');
    await once(service, 'close');
    await rm(folder, { recursive: true, force: true });
  }
}

/** Told by the log. */
async function urlOf(log: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input: log });
  for await (const line of lines) {
    const { url } = JSON.parse(line) as { url?: string };
    if (url !== undefined) {
      log.resume(); // the rest is for nobody
      return url;
    }
  }
  throw new Error('The service ended before it listened.');
}

/** Images of the run of a quick trial, whose first epoch is waited for. */
const QUICK_LIMIT = 1_000;

/** A run that lasts longer than the measurement, at full speed by now; on `limit` images, or on all. */
async function startRun(url: string, limit: number | null): Promise<void> {
  const body = {
    recipe: 'deep-bn',
    overrides: { epochs: 1000, earlyStopping: null },
    ...(limit !== null && { limit }),
  };
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/runs`, { method: 'POST', headers, body: JSON.stringify(body) });
  const { id } = (await response.json()) as { id: string };
  for (;;) {
    const { epochs, state } = (await (await fetch(`${url}/runs/${id}`)).json()) as { epochs: number; state: string };
    if (epochs > 0) return;
    if (state !== 'queued' && state !== 'running') throw new Error(`The run is ${state}.`);
    await pause(100);
  }
}

async function latencies(url: string, isQuick: boolean): Promise<Sample> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  for (let request = 0; request < (isQuick ? 50 : 1000); request++) {
    const started = performance.now();
    const [response] = (await once(get(`${url}/healthz`, { agent }), 'response')) as [NodeJS.ReadableStream];
    response.resume();
    await once(response, 'end');
    times.push(performance.now() - started);
    await pause(PAUSE_MS);
  }
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.ceil(share * times.length) - 1] ?? NaN;
  return { medianMs: at(0.5), percentile99Ms: at(0.99), maximumMs: at(1) };
}

await measureVariant(VARIANTS, process.argv.slice(2));
