// Measures what a service still answers when far more comes than it can answer, in a process of its own.
import type { Sample, SampleOptions, Variants } from '../../benchmark.ts';
import { measureVariant } from '../../measure-variant.ts';
import { type KnownImage, knownImages, knownPhotographs } from '../images.ts';
import type { LoadPlan, PreparedRequest } from '../load/load-plan.ts';
import { goodput, type MeasuredLoad, measuredLoad, requireFlawless } from '../measured-load.ts';
import { largestMemoryDuring } from '../memory-watch.ts';
import { service } from '../programs.ts';
import { photographRequest, pixelsRequest, tensorRequest } from '../requests.ts';
import { withServer } from '../server-process.ts';
import { ENVIRONMENT, type OverloadName, TIMES_CAPACITY, VARIANT_NAMES } from './variant-names.ts';

/** The peak is that of the best. */
const PEAK_CONNECTIONS = [4, 16, 64];

/** Far more than wait at the server at any time. */
const CONNECTIONS = 256;

/** Of the peak: little enough that hardly anybody waits for another. */
const UNLOADED_SHARE = 0.2;

/** A whole batch: the engine, and not the request thread, has the most work with it. */
const IMAGES_PER_TENSOR = 64;

/** A rate of few a second takes longer. */
const LEAST_REQUESTS = 10;

type Requests = (modelsDirectory: string, images: readonly KnownImage[]) => Promise<PreparedRequest[]>;

const REQUESTS: Record<OverloadName, Requests> = {
  photographs: async (modelsDirectory, images) =>
    (await knownPhotographs(modelsDirectory, images)).map(photographRequest),
  tensors: (_modelsDirectory, images) =>
    Promise.resolve(images.map((_image, first) => tensorRequest(manyFrom(images, first)))),
  pixels: (_modelsDirectory, images) => Promise.resolve(images.map(pixelsRequest)),
};

/** `IMAGES_PER_TENSOR` of them, in turn, from the one at `first`. */
function manyFrom(images: readonly KnownImage[], first: number): KnownImage[] {
  const inTurn = [...images.slice(first), ...images.slice(0, first)];
  return Array.from({ length: IMAGES_PER_TENSOR }, (_, place) => inTurn[place % inTurn.length]!);
}

async function overload(name: OverloadName, { modelsDirectory, isQuick }: SampleOptions): Promise<Sample> {
  const requests = (await REQUESTS[name](modelsDirectory, await knownImages(modelsDirectory))).map(refusable);
  return withServer(service(modelsDirectory, ENVIRONMENT[name]), async (server) => {
    const run = (plan: Pick<LoadPlan, 'connections' | 'ratePerSecond'>, fullSeconds: number) => {
      const [warmUpSeconds, leastSeconds] = isQuick ? [0.1, 1] : [1, fullSeconds];
      const seconds = Math.max(leastSeconds, LEAST_REQUESTS / (plan.ratePerSecond ?? Infinity));
      return measuredLoad(server, { requests, ...plan, warmUpSeconds, end: { seconds } });
    };
    let peakPerSecond = 0;
    for (const connections of isQuick ? [4] : PEAK_CONNECTIONS) {
      peakPerSecond = Math.max(peakPerSecond, goodput(await run({ connections }, 2.5)));
    }
    if (peakPerSecond === 0) throw new Error('Nothing was answered with 200.');
    const unloaded = await run({ connections: CONNECTIONS, ratePerSecond: UNLOADED_SHARE * peakPerSecond }, 5);
    const ratePerSecond = TIMES_CAPACITY * peakPerSecond;
    const [loaded, largestBytes] = await largestMemoryDuring(server.pid, () =>
      run({ connections: CONNECTIONS, ratePerSecond }, 8),
    );
    // It answers as before once the flood is over.
    requireFlawless(await measuredLoad(server, { requests, connections: 1, end: { count: requests.length } }));
    return {
      peakPerSecond,
      unloadedMedianMs: unloaded.byStatus[200]?.latency.median ?? NaN,
      unloadedPercentile99Ms: unloaded.byStatus[200]?.latency.percentile99 ?? NaN,
      offeredPerSecond: ratePerSecond,
      ...figuresOf(loaded),
      largestBytes,
    };
  });
}

/** To be refused is as right an answer as the image's own probabilities; those of another image are wrong. */
function refusable(request: PreparedRequest): PreparedRequest {
  return { ...request, expected: { ...request.expected, statuses: [200, 429] } };
}

function figuresOf(load: MeasuredLoad): Sample {
  const accepted = load.byStatus[200];
  const refused = load.byStatus[429];
  const answered = Object.values(load.byStatus).reduce((total, { count }) => total + count, 0);
  return {
    goodputPerSecond: goodput(load),
    acceptedMedianMs: accepted?.latency.median ?? NaN,
    acceptedPercentile99Ms: accepted?.latency.percentile99 ?? NaN,
    acceptedSinceSentPercentile99Ms: accepted?.sinceSent.percentile99 ?? NaN,
    refused: refused?.count ?? 0,
    refusedWithoutRetryAfter: Object.values(load.byStatus).reduce((sum, status) => sum + status.withoutRetryAfter, 0),
    // Of none there is no time; 0 keeps the sample a list of numbers.
    refusalMedianMs: refused?.sinceSent.median ?? 0,
    refusalPercentile99Ms: refused?.sinceSent.percentile99 ?? 0,
    unsentShare: load.unsent / (load.unsent + answered),
    lost: load.lost + load.short,
    hung: load.hung,
    wrong: load.wrong,
    clientCores: load.cpuSeconds / load.seconds,
    serverMicroseconds: 1e6 * load.serverCpuSecondsPerRequest,
  };
}

const VARIANTS: Variants = Object.fromEntries(
  VARIANT_NAMES.map((name) => [name, (options: SampleOptions) => overload(name, options)]),
);

await measureVariant(VARIANTS, process.argv.slice(2));
