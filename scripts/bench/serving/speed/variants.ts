// Measures one server under load, the bare decoding loop, or the service's start, in a process of its own.
import { setTimeout as pause } from 'node:timers/promises';
import type { Sample, SampleOptions, Variants } from '../../benchmark.ts';
import { measureVariant } from '../../measure-variant.ts';
import type { DecodingResult, DecodingTask } from '../decoding-loop.ts';
import { type KnownImage, knownImages, modelFile, pngOf } from '../images.ts';
import type { PreparedRequest } from '../load/load-plan.ts';
import { answersPerSecond, measuredLoad, requireFlawless } from '../measured-load.ts';
import { memoryOf } from '../process-tree.ts';
import { processWithTask } from '../process-with-task.ts';
import { CONSTANT, handWritten, service, serviceInTwoProcesses } from '../programs.ts';
import { binaryRequest, pixelsRequest, pngRequest, tensorRequest } from '../requests.ts';
import { type ServerProgram, withServer } from '../server-process.ts';
import { CONNECTIONS, DECODING_LOOP, type LoadedName, START } from './variant-names.ts';

/** Pictures at a time, and processes that decode beside each other: the best pair counts. */
const AT_A_TIME = [2, 4, 8];
const PROCESSES = [1, 2];

/** In which a service that has just started comes to rest. */
const REST_MS = 3_000;

interface Loaded {
  program: (options: SampleOptions) => ServerProgram | Promise<ServerProgram>;
  request: (image: KnownImage) => PreparedRequest | Promise<PreparedRequest>;
}

const ours = ({ modelsDirectory }: SampleOptions) => service(modelsDirectory);
const twice = ({ modelsDirectory }: SampleOptions) => serviceInTwoProcesses(modelsDirectory);
const byHand =
  (threads: number | null) =>
  async ({ modelsDirectory }: SampleOptions) =>
    handWritten(await modelFile(modelsDirectory), threads);

/** Probabilities are looked at in the soak; here the client shall cost as little as it can. */
const unchecked =
  (request: Loaded['request']): Loaded['request'] =>
  async (image) => ({ ...(await request(image)), expected: { statuses: [200] } });

const LOADED: Record<LoadedName, Loaded> = {
  'constant-server': { program: () => CONSTANT, request: unchecked(pixelsRequest) },
  png: { program: ours, request: unchecked(pngRequest) },
  pixels: { program: ours, request: unchecked(pixelsRequest) },
  tensors: { program: ours, request: unchecked((image) => tensorRequest([image])) },
  'two-processes-png': { program: twice, request: unchecked(pngRequest) },
  'two-processes-pixels': { program: twice, request: unchecked(pixelsRequest) },
  'hand-written-pixels': { program: byHand(null), request: unchecked(pixelsRequest) },
  'hand-written-pixels-one-thread': { program: byHand(1), request: unchecked(pixelsRequest) },
  'hand-written-binary': { program: byHand(null), request: binaryRequest },
  'hand-written-binary-one-thread': { program: byHand(1), request: binaryRequest },
};

/** Until V8 has compiled what is hot: 1.5 s are too few for a server of which each request is a picture. */
const WARM_UP_SECONDS = 4;

async function underLoad({ program, request }: Loaded, options: SampleOptions): Promise<Sample> {
  const requests = await Promise.all((await knownImages(options.modelsDirectory)).map(async (image) => request(image)));
  return withServer(await program(options), async (server) => {
    const run = async (connections: number) => {
      const [warmUpSeconds, seconds] = options.isQuick
        ? [0.1, 0.2]
        : connections === 1
          ? [0.3, 1.5]
          : [WARM_UP_SECONDS, 3];
      const load = await measuredLoad(server, { requests, connections, warmUpSeconds, end: { seconds } });
      requireFlawless(load);
      return load;
    };
    const many = await run(options.isQuick ? 8 : CONNECTIONS);
    const one = await run(1);
    return {
      perSecond: answersPerSecond(many),
      medianMs: many.byStatus[200]?.latency.median ?? NaN,
      percentile99Ms: many.byStatus[200]?.latency.percentile99 ?? NaN,
      serverMicroseconds: 1e6 * many.serverCpuSecondsPerRequest,
      clientMicroseconds: (1e6 * many.cpuSeconds) / (many.byStatus[200]?.count ?? NaN),
      oneConnectionMedianMs: one.byStatus[200]?.latency.median ?? NaN,
      oneConnectionPercentile99Ms: one.byStatus[200]?.latency.percentile99 ?? NaN,
    };
  });
}

async function decoding({ modelsDirectory, isQuick }: SampleOptions): Promise<Sample> {
  const files = await Promise.all((await knownImages(modelsDirectory)).map(({ pixels }) => pngOf(pixels)));
  let best: Sample = { perSecond: 0 };
  for (const processes of PROCESSES) {
    for (const atATime of isQuick ? [2] : AT_A_TIME) {
      const task: DecodingTask = { files, atATime, seconds: isQuick ? 0.2 : 1.5 };
      const results = await Promise.all(
        Array.from({ length: processes }, () => processWithTask<DecodingResult>('serving/decoding-loop', task)),
      );
      const perSecond = results.reduce((total, result) => total + result.perSecond, 0);
      const cpuMicroseconds = 1e6 * (results[0]?.cpuSecondsPerPicture ?? NaN);
      if (perSecond > (best['perSecond'] ?? 0)) best = { perSecond, cpuMicroseconds, processes, atATime };
    }
  }
  return best;
}

async function start({ modelsDirectory, isQuick }: SampleOptions): Promise<Sample> {
  return withServer(service(modelsDirectory), async ({ pid, readyMs }) => {
    await pause(isQuick ? 100 : REST_MS);
    return { readyMs, ...(await memoryOf(pid)) };
  });
}

const VARIANTS: Variants = {
  [DECODING_LOOP]: decoding,
  [START]: start,
  ...Object.fromEntries(
    Object.entries(LOADED).map(([name, loaded]) => [name, (options: SampleOptions) => underLoad(loaded, options)]),
  ),
};

await measureVariant(VARIANTS, process.argv.slice(2));
