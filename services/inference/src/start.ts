import { setTimeout } from 'node:timers/promises';
import { usableCores } from '@atelier/doctor';
import { messageOf } from '@atelier/domain';
import { BodyBudget, isLoopback, listen, type Listening, type Log } from '@atelier/http';
import type { PublishedVersion } from '@atelier/model-repository';
import { inferenceAccess } from './access.ts';
import { buildApp } from './app.ts';
import { hasCudaProvider } from './compute/provider-libraries.ts';
import type { InferenceConfig } from './config.ts';
import { openDrift } from './drift/drift-monitor.ts';
import { Ending } from './ending.ts';
import { openEvaluation } from './evaluation/open-evaluation.ts';
import { type RunningGrpc, startGrpc } from './grpc/start-grpc.ts';
import { createFilesDecoder } from './image/decode.ts';
import { serveModels } from './models/serve-models.ts';
import { countCalls } from './observability/grpc-metrics.ts';
import { OtlpExporter } from './observability/otlp-exporter.ts';
import { observedEngine } from './observability/observed-engine.ts';
import { InferenceMetrics } from './observability/inference-metrics.ts';
import { CountedInferences } from './open-inference/statistics.ts';
import { SERVICE_VERSION } from './service-version.ts';
import { type Engine, type EngineObserver, startEngine } from './predictor/engine.ts';

export interface RunningInference extends Omit<Listening, 'close'> {
  /** Resolves when a version has been chosen or none was found; the service answers before that. */
  settled: Promise<void>;
  /** The version that was chosen, if any. */
  served(): PublishedVersion | undefined;
  /** For example `127.0.0.1:8001`; undefined where `INFERENCE_GRPC_PORT` is not set. */
  grpcAddress: string | undefined;
  /** How long it goes on serving after SIGTERM, in ms. */
  graceMs: number;
  /**
   * Says that it is not ready, goes on serving for `graceMs` (default: the configuration's) if it was ready, stops accepting,
   * finishes requests in flight, and releases the engines. All of that after `graceMs` takes no longer than `EndLimits` say;
   * rejects at the end where something had to be broken off, and names it.
   */
  close(graceMs?: number): Promise<void>;
}

/** How long the parts of an end may take, in ms, after the grace period. */
export interface EndLimits {
  /** All of them together; below what `serveUntilSignal` gives, so that what did not end can be named. */
  wholeMs: number;
  /** Requests in flight, of which the rest is then cut off. */
  requestsMs: number;
  /** The release of the models: on a GPU one may be loading for a minute, which is broken off. */
  modelsMs: number;
}

/** What spans may take by themselves, 5 s, and engines, 3 s, has room behind the others. */
const END_LIMITS: EndLimits = { wholeMs: 19_000, requestsMs: 10_000, modelsMs: 3_000 };

/** So much later the servers cut connections off: when the end knows that there are some. */
const CUT_OFF_MS = 250;

/** Starts the whole service. */
export async function startInference(
  config: InferenceConfig,
  log: Log,
  limits: EndLimits = END_LIMITS,
): Promise<RunningInference> {
  const { modelsDirectory: root, modelName: name } = config;
  const cutOffMs = limits.requestsMs + CUT_OFF_MS;
  const metrics = new InferenceMetrics();
  const statistics = new CountedInferences();
  const engine = await startConfiguredEngine(config, log, observedEngine(metrics, statistics));
  metrics.watch({ waiting: () => engine.waiting(), computePid: () => engine.pid() });
  const load = async (version: PublishedVersion) => metrics.observed(await engine.load(version));
  const requireDevice = () => engine.device();
  const model = serveModels({ ...config, root, name, load, requireDevice, observer: metrics }, log);
  const images = { decode: createFilesDecoder(config.maximumPixels, engine.decode), admit: engine.admit };
  const evaluation = openEvaluation(config, engine.traffic, log);
  let started = false;
  const hasStarted = () => started;
  const spans = openExporter(config, log);
  if (spans !== undefined) metrics.watch({ spans: () => spans.counts });
  const drift = openDrift(config);
  const app = buildApp({
    model,
    images,
    evaluation,
    drift,
    config,
    metrics,
    statistics,
    hasStarted,
    ...(spans && { spans }),
    log,
  });
  const bodies = new BodyBudget(config.maximumBodiesBytes);
  const server = await listen(app, config.host, config.port, {
    log,
    graceMs: cutOffMs,
    bodies,
    ...connectionLimits(config),
  }).catch(async (error: unknown) => {
    await engine.close();
    throw error;
  });
  log.info(`Inference listens on ${server.url}`);
  const settled = model.start().finally(() => (started = true)); // it loads while gRPC does
  let grpc: RunningGrpc | undefined;
  let closed: Promise<void> | undefined;
  const close = async (graceMs: number) => {
    model.announceStop();
    if (graceMs > 0 && model.served() !== undefined) await setTimeout(graceMs);
    const ending = new Ending(limits.wholeMs, log);
    const evaluated = evaluation.close(limits.requestsMs / 2);
    await ending.step('requests', Promise.all([server.close(), grpc?.close()]), {
      limitMs: limits.requestsMs,
      waitsForClients: true,
    });
    await ending.step('the release of the models', model.close(), { limitMs: limits.modelsMs });
    await ending.step('evaluations', evaluated);
    // Beside each other: a collector that hangs must not use up the time of the engines.
    await Promise.all([ending.step('the engines', engine.close()), spans && ending.step('spans', spans.close())]);
    metrics.close();
    ending.requireWhole();
  };
  if (config.grpcPort !== undefined) {
    const parts = { models: model, ...images, limits: config, statistics, drift };
    const access = inferenceAccess(config.apiKeys);
    const { host, grpcPort: port, maximumBodyBytes, requestTimeoutMs: arrivalLimitMs } = config;
    const { maximumConnections, keepAliveMs, stalledMs } = config;
    // Not the whole configuration, whose grace period is another one: what is in flight has its own time after that.
    const guards = { maximumBodyBytes, arrivalLimitMs, maximumConnections, keepAliveMs, stalledMs, bodies };
    const witnesses = { calls: countCalls(metrics.registry), ...(spans && { spans }), log };
    const options = { host, port, ...guards, access, ...witnesses, graceMs: cutOffMs };
    grpc = await startGrpc(parts, options).catch(async (error: unknown) => {
      await close(0).catch((fault: unknown) => log.error({ err: fault }, messageOf(fault)));
      throw error;
    });
    log.info(`gRPC listens on ${grpc.address}`);
  }
  warnOfOpenAddress(config, log);
  return {
    url: server.url,
    grpcAddress: grpc?.address,
    settled,
    served: () => model.served(),
    graceMs: config.graceMs,
    close: (graceMs = config.graceMs) => (closed ??= close(graceMs)),
  };
}

/**
 * Engines where none are asked for: a core is left to the thread that takes requests, which on two cores gives a fifth more
 * than an engine on each (docs/adr/0019). A GPU does one thing at a time, and each engine would compile for it anew.
 */
export function defaultWorkers(device: InferenceConfig['device'], cores: number, hasCuda: boolean): number {
  const mayBeGpu = device === 'cuda' || device === 'webgpu' || (device === 'auto' && hasCuda);
  return mayBeGpu ? 1 : Math.max(1, cores - 1);
}

/** The engine that a configuration asks for. */
export function startConfiguredEngine(
  config: InferenceConfig,
  log: Log,
  observer: EngineObserver = NOBODY,
  entry?: string,
): Promise<Engine> {
  const cores = usableCores();
  const { workers = defaultWorkers(config.device, cores, hasCudaProvider()), decoders = cores } = config;
  return startEngine({ ...config, workers, decoders, log, observer, ...(entry === undefined ? {} : { entry }) });
}

const NOBODY: EngineObserver = {
  computed: () => undefined,
  cancelled: () => undefined,
  restarted: () => undefined,
  decoded: () => undefined,
  turnedAway: () => undefined,
};

function connectionLimits(config: InferenceConfig) {
  const { maximumHeaderBytes, headersTimeoutMs, requestTimeoutMs, keepAliveMs } = config;
  const { maximumConnections, stalledMs } = config;
  return { maximumHeaderBytes, headersTimeoutMs, requestTimeoutMs, keepAliveMs, maximumConnections, stalledMs };
}

function openExporter({ otlpEndpoint: endpoint }: InferenceConfig, log: Log): OtlpExporter | undefined {
  if (endpoint === undefined) return undefined;
  return new OtlpExporter({ endpoint, service: { name: 'atelier-inference', version: SERVICE_VERSION }, log });
}

/** Said and not refused, as the trainer does: in a container this is how one starts it, and its network decides who comes. */
function warnOfOpenAddress({ host, apiKeys }: InferenceConfig, log: Log): void {
  if (apiKeys.length > 0 || isLoopback(host)) return;
  log.warn(
    `INFERENCE_HOST=${host} without INFERENCE_API_KEYS: whoever reaches this address may ask for predictions and read ` +
      'metrics. Admin routes are off.',
  );
}
