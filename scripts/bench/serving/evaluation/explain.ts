import type { Examples } from '@atelier/fashion-mnist';
import type { Sample } from '../../benchmark.ts';
import { pngOf } from '../images.ts';
import { Connection, type Outcome } from '../load/connection.ts';
import { latencies } from '../load/tally.ts';
import { requestBytes } from '../requests.ts';
import type { RunningServer } from '../server-process.ts';
import { prefixed } from './samples.ts';
import { imageAt } from './test-images.ts';
import { type Method, METHODS } from './variant-names.ts';

const IMAGES = 300;
const WARM_UP_IMAGES = 30;

/**
 * How much longer a prediction takes that is explained: for each of so many test images a request without and one with each
 * method right after it, on one connection.
 */
export async function explain({ port }: RunningServer, examples: Examples, isQuick: boolean): Promise<Sample> {
  const count = isQuick ? 4 : IMAGES;
  const connection = new Connection(port);
  const ask = async (index: number, query: string) => {
    const file = await pngOf(imageAt(examples, index));
    const bytes = requestBytes(`/predict${query}`, { 'Content-Type': 'image/png' }, file);
    const started = performance.now();
    const outcome = await new Promise<Outcome>((resolve) => connection.request(bytes, resolve));
    const milliseconds = performance.now() - started;
    if (typeof outcome === 'object' && outcome.status === 200) return milliseconds;
    throw new Error(`/predict${query} was not answered with 200: ${JSON.stringify(outcome)}`);
  };
  const explained = (index: number, method: Method) => ask(index, `?explain=${method}`);
  await ask(0, '');
  const firstGradientMs = await explained(0, 'gradient');
  const times: Record<'plain' | Method, number[]> = { plain: [], gradient: [], occlusion: [] };
  const warmUp = isQuick ? 1 : WARM_UP_IMAGES;
  for (let index = 0; index < warmUp + count; index++) {
    const plain = await ask(index, '');
    if (index >= warmUp) times.plain.push(plain);
    for (const method of index % 2 === 0 ? METHODS : METHODS.toReversed()) {
      const extra = (await explained(index, method)) - plain;
      if (index >= warmUp) times[method].push(extra);
    }
  }
  connection.close();
  return {
    firstGradientMs,
    ...prefixed('plain', latencySample(times.plain)),
    ...prefixed('gradient', latencySample(times.gradient)),
    ...prefixed('occlusion', latencySample(times.occlusion)),
  };
}

function latencySample(milliseconds: readonly number[]): Sample {
  const { median, percentile99, longest } = latencies(milliseconds);
  return { medianMs: median, percentile99Ms: percentile99, longestMs: longest };
}
