import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { ServiceName } from '../../docker/build/services.ts';
import { freePort } from '../../scripts/bench/free-port.ts';
import { isGone } from '../support/process-gone.ts';
import { until } from '../support/until.ts';
import type { Container, ContainerEngine, ContainerOptions, Exit } from './engine/engine.ts';

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 40_000;

export interface RunningService {
  container: Container;
  url: string;
  /** From the start of the container until it was ready. */
  startMs: number;
  /** What the image's own health check says: its exit code, and what it printed. */
  checkHealth(): Promise<Exit>;
}

/** Starts a service on a free port of this machine alone, and waits until it is ready. */
export async function startService(
  engine: ContainerEngine,
  service: ServiceName,
  options: ContainerOptions = {},
): Promise<RunningService> {
  const port = await freePort();
  const prefix = service.toUpperCase();
  const environment = { ...options.environment, [`${prefix}_HOST`]: '127.0.0.1', [`${prefix}_PORT`]: String(port) };
  const start = performance.now();
  const container = await engine.start(service, { ...options, environment });
  const url = `http://127.0.0.1:${port}`;
  let exit: Exit | undefined;
  void container.ended.then((ended) => (exit = ended));
  const isReady = async () => exit !== undefined || (await fetch(`${url}/readyz`).catch(() => null))?.status === 200;
  await until('the service is ready', isReady, START_LIMIT_MS).catch((error: unknown) => {
    throw new Error(container.output(), { cause: error });
  });
  assert.equal(exit, undefined, container.output());
  const startMs = performance.now() - start;
  return { container, url, startMs, checkHealth: () => checkHealth(engine, service, environment) };
}

/** Sends SIGTERM, and resolves to the exit when no process of the container is left; rejects after forty seconds. */
export async function stopService({ container }: RunningService): Promise<Exit> {
  const processes = await container.processes();
  assert.ok(processes.length > 0);
  await container.signal('SIGTERM');
  const exit = await Promise.race([container.ended, later(STOP_LIMIT_MS)]);
  if (exit === undefined) {
    await container.signal('SIGKILL');
    throw new Error(`It goes on ${STOP_LIMIT_MS} ms after SIGTERM:\n${container.output()}`);
  }
  for (const id of processes) await until(`process ${id} is gone`, () => isGone(id));
  return exit;
}

/** Lines of `/proc/<id>/status`, by their names. */
export function statusOf(id: number): Record<string, string> {
  const lines = readFileSync(`/proc/${id}/status`, 'utf8').trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/:\s*/, 2) as [string, string]));
}

async function checkHealth(
  engine: ContainerEngine,
  service: ServiceName,
  environment: Readonly<Record<string, string>>,
): Promise<Exit> {
  const { config } = await engine.image(service);
  const [, node, ...command] = config.Healthcheck.Test;
  assert.equal(node, config.Entrypoint[0]);
  return (await engine.start(service, { environment, command })).ended;
}

function later(delayMs: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), delayMs).unref());
}
