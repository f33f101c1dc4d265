// Sends a service very many requests of every kind and looks what becomes of its memory, in a process of its own.
import { setTimeout as pause } from 'node:timers/promises';
import type { Sample, SampleOptions, Variants } from '../../benchmark.ts';
import { measureVariant } from '../../measure-variant.ts';
import { measuredLoad, type MeasuredLoad } from '../measured-load.ts';
import { type Memory, memoryOf } from '../process-tree.ts';
import { service } from '../programs.ts';
import { withServer } from '../server-process.ts';
import { mixture } from './mixture.ts';
import { slopeOf } from './slope.ts';
import {
  LEAK_BYTES,
  PLANTED_BYTES,
  PLANTED_LEAK,
  REQUESTS_OF_A_SLOPE,
  SERVICE,
  VARIANT_NAMES,
} from './variant-names.ts';

/** Of the parts: meanwhile caches and heaps grow to their size. */
const SETTLING_SHARE = 0.2;

interface Size {
  requests: number;
  connections: number;
  /** Memory is looked at after each of so many parts of the requests. */
  parts: number;
  /** In which nothing is asked before memory is looked at. */
  restMs: number;
  /** Of each request, kept for ever; 0 is the service as it is. */
  plantedBytes: number;
}

async function soak(
  { requests, connections, parts, restMs, plantedBytes }: Size,
  { modelsDirectory }: SampleOptions,
): Promise<Sample> {
  const mixed = await mixture(modelsDirectory);
  return withServer(service(modelsDirectory, plantedBytes === 0 ? {} : withLeak(plantedBytes)), async (server) => {
    const rested = async () => {
      await pause(restMs);
      return memoryOf(server.pid);
    };
    const before = await rested();
    const loads: MeasuredLoad[] = [];
    const memories: Memory[] = [];
    for (let part = 0; part < parts; part++) {
      const count = Math.round(requests / parts);
      loads.push(await measuredLoad(server, { requests: mixed, connections, end: { count } }));
      memories.push(await rested());
    }
    const points = memories.map(({ proportionalBytes }, part) => ({
      x: ((part + 1) * requests) / parts / REQUESTS_OF_A_SLOPE,
      y: proportionalBytes,
    }));
    const { slope, lowest, highest } = slopeOf(points.slice(parts * SETTLING_SHARE));
    const last = memories.at(-1);
    return {
      ...outcomesOf(loads),
      proportionalBytesBefore: before.proportionalBytes,
      proportionalBytesAfter: last?.proportionalBytes ?? NaN,
      residentBytesAfter: last?.residentBytes ?? NaN,
      largestProportionalBytes: Math.max(...points.map(({ y }) => y)),
      slopeBytes: slope,
      lowestSlopeBytes: lowest,
      highestSlopeBytes: highest,
      plantedBytes,
      isLeak: lowest > LEAK_BYTES ? 1 : 0,
    };
  });
}

function outcomesOf(loads: readonly MeasuredLoad[]): Sample {
  const sum = (value: (load: MeasuredLoad) => number) => loads.reduce((total, load) => total + value(load), 0);
  const withStatus = (isMeant: (status: number) => boolean) =>
    sum(({ byStatus }) =>
      Object.entries(byStatus).reduce((total, [status, { count }]) => total + (isMeant(Number(status)) ? count : 0), 0),
    );
  const firstWrong = loads.map((load) => load.firstWrong).find((fault) => fault !== null);
  if (firstWrong !== undefined) process.stderr.write(`The first wrong answer: ${firstWrong}\n`);
  return {
    sent: sum(({ sent }) => sent),
    answered: withStatus((status) => status === 200),
    refused: withStatus((status) => status >= 400 && status < 500),
    failed: withStatus((status) => status >= 500),
    left: sum(({ left }) => left),
    lost: sum(({ lost, short }) => lost + short),
    hung: sum(({ hung }) => hung),
    wrong: sum(({ wrong }) => wrong),
    seconds: sum(({ seconds }) => seconds),
  };
}

function withLeak(bytes: number): Record<string, string> {
  const preload = `--import ${new URL('./leak.mjs', import.meta.url).href}`;
  return { NODE_OPTIONS: preload, PLANTED_LEAK_BYTES: String(bytes) };
}

/**
 * A quick trial's few requests show no leak of a KiB beside what a young heap does, and the line through fewer looks has an
 * interval that a busy machine widens at will.
 */
const SIZES = {
  full: {
    [SERVICE]: { requests: 1_000_000, connections: 64, parts: 25, restMs: 2_000, plantedBytes: 0 },
    [PLANTED_LEAK]: { requests: 150_000, connections: 64, parts: 15, restMs: 1_000, plantedBytes: PLANTED_BYTES },
  },
  quick: {
    [SERVICE]: { requests: 1_000, connections: 8, parts: 3, restMs: 10, plantedBytes: 0 },
    [PLANTED_LEAK]: { requests: 600, connections: 8, parts: 6, restMs: 10, plantedBytes: 256 * PLANTED_BYTES },
  },
} as const;

const VARIANTS: Variants = Object.fromEntries(
  VARIANT_NAMES.map((name) => [
    name,
    (options: SampleOptions) => soak(SIZES[options.isQuick ? 'quick' : 'full'][name], options),
  ]),
);

await measureVariant(VARIANTS, process.argv.slice(2));
