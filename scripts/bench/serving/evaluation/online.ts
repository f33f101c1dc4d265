import type { Examples } from '@atelier/fashion-mnist';
import type { Sample, SampleOptions } from '../../benchmark.ts';
import { knownImages } from '../images.ts';
import { measuredLoad, requireFlawless } from '../measured-load.ts';
import { pngRequest } from '../requests.ts';
import type { RunningServer } from '../server-process.ts';
import { archiveBody, type SetBody, StartedEvaluation } from './evaluations.ts';
import { meanOf, prefixed } from './samples.ts';
import { pictureArchive } from './test-images.ts';
import { ALONE, BESIDE, type Beside, ONLINE_RATE, type PictureKind, UPLOADS } from './variant-names.ts';

/** Of each image, so that no evaluation comes to its end while it is measured beside; without ZIP64 an archive has no 65,536 entries. */
const COPIES = 6;
const QUICK_COPIES = 200;

/** More than ever wait at a time. */
const CONNECTIONS = 32;

/** As many as send at a time until all is compiled. */
const WARM_UP_CONNECTIONS = 4;

/** What runs beside predictions; `stop` resolves to the images that it evaluated in a second. */
interface Running {
  stop: () => Promise<number>;
}

/**
 * Predictions of one image a request at a fixed rate, alone and beside evaluations, in turns and then in turns
 * backwards: a figure is the mean of its two turns.
 */
export async function online(
  server: RunningServer,
  examples: Examples,
  { modelsDirectory, isQuick }: SampleOptions,
): Promise<Sample> {
  const requests = await Promise.all((await knownImages(modelsDirectory)).map(pngRequest));
  const copies = isQuick ? QUICK_COPIES : COPIES;
  const many = async (kind: PictureKind) => archiveBody(await pictureArchive(examples, kind, copies));
  const bodies = { grey: await many('grey'), rgb: await many('rgb') };
  const begin: Record<Beside, () => Promise<Running>> = {
    [ALONE]: () => Promise.resolve({ stop: () => Promise.resolve(0) }),
    grey: () => evaluating(server.port, bodies.grey),
    rgb: () => evaluating(server.port, bodies.rgb),
    [UPLOADS]: () => Promise.resolve(uploading(server.port, bodies.grey)),
  };
  const turn = async (beside: Beside): Promise<Sample> => {
    const running = await begin[beside]();
    const [warmUpSeconds, seconds] = isQuick ? [0.1, 0.4] : [1, 6];
    const plan = { requests, connections: CONNECTIONS, ratePerSecond: ONLINE_RATE };
    const load = await measuredLoad(server, { ...plan, warmUpSeconds, end: { seconds } });
    const evaluatedPerSecond = await running.stop();
    requireFlawless(load);
    const { median, percentile99, longest } = load.byStatus[200]?.latency ?? {
      median: NaN,
      percentile99: NaN,
      longest: NaN,
    };
    return { medianMs: median, percentile99Ms: percentile99, longestMs: longest, evaluatedPerSecond };
  };
  const warmUp = { requests, connections: WARM_UP_CONNECTIONS, end: { seconds: isQuick ? 0.1 : 3 } };
  requireFlawless(await measuredLoad(server, warmUp));
  const turns: Sample[] = [];
  for (const order of isQuick ? [BESIDE] : [BESIDE, BESIDE.toReversed()]) {
    const sample: Sample = {};
    for (const beside of order) Object.assign(sample, prefixed(beside, await turn(beside)));
    turns.push(sample);
  }
  return meanOf(turns);
}

async function evaluating(port: number, body: SetBody): Promise<Running> {
  const evaluation = await StartedEvaluation.start(port, body);
  await evaluation.begun(); // or there is nothing yet to be measured beside
  const before = await evaluation.images();
  const started = performance.now();
  return {
    stop: async () => {
      const images = (await evaluation.images()) - before;
      const seconds = (performance.now() - started) / 1000;
      await evaluation.cancel();
      return images / seconds;
    },
  };
}

/** Sends a set again and again, each time until its evaluation has begun: what comes before the first image is short. */
function uploading(port: number, body: SetBody): Running {
  let isOver = false;
  const run = async () => {
    while (!isOver) await (await StartedEvaluation.start(port, body)).cancel();
  };
  const running = run();
  running.catch(() => undefined); // `stop` tells
  return {
    stop: async () => {
      isOver = true;
      await running;
      return 0;
    },
  };
}
