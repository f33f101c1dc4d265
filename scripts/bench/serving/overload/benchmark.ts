import { markdownTable } from '../../../src/measurements/markdown-table.ts';
import { type Spread, spread, spreadInWords } from '../../../src/measurements/statistics.ts';
import type { Benchmark, Figures } from '../../benchmark.ts';
import { goalTable, type MeasuredGoal, roundByRound, valuesOf } from '../../goal-table.ts';
import {
  BATCH_DELAY_MS,
  ENVIRONMENT,
  type OverloadName,
  TIMES_CAPACITY,
  VARIANT_NAMES,
  VARIANTS_IN_WORDS,
} from './variant-names.ts';

export const servingOverload: Benchmark = {
  title: `Serving at ${TIMES_CAPACITY} times its capacity`,
  program: 'serving/overload/variants',
  variants: VARIANT_NAMES,
  section: renderOverload,
};

/** What is still answered, and how soon, when far more comes than can be. */
export function renderOverload({ samples }: Figures): string {
  const columns = ['', ...VARIANT_NAMES.map((name) => VARIANTS_IN_WORDS[name])];
  const rows = MEASURED.map(({ title, name, digits, unit }) => [
    title,
    ...VARIANT_NAMES.map((variant) =>
      spreadInWords(spread(valuesOf(samples, variant, name)), (value) => value.toFixed(digits), unit),
    ),
  ]);
  return [
    goalTable(
      VARIANT_NAMES.flatMap((name) => goalsOf(name, samples)),
      'figure',
    ),
    markdownTable(columns, rows),
    HOW,
  ].join('\n\n');
}

function goalsOf(variant: OverloadName, samples: Figures['samples']): MeasuredGoal[] {
  const values = (name: string) => valuesOf(samples, variant, name);
  const title = (words: string) => `${VARIANTS_IN_WORDS[variant]}: ${words}`;
  const none: MeasuredGoal['goal'] = { atMost: 0 };
  return [
    {
      title: title('answered with 200, share of the peak'),
      found: roundByRound(values('goodputPerSecond'), values('peakPerSecond'), (loaded, peak) => loaded / peak),
      unit: '%',
      goal: { atLeast: 0.9 },
    },
    {
      title: title('99th percentile of the accepted, less the batch delay, against unloaded'),
      found: roundByRound(
        values('acceptedPercentile99Ms'),
        values('unloadedPercentile99Ms'),
        (loaded, unloaded) => (loaded - BATCH_DELAY_MS) / unloaded,
      ),
      unit: 'times',
      goal: { atMost: 2 },
    },
    { title: title('refusals'), found: spread(values('refused')), unit: '', goal: null },
    {
      title: title('refusals without `Retry-After`'),
      found: spread(values('refusedWithoutRetryAfter')),
      unit: '',
      goal: none,
    },
    {
      title: title('99th percentile of the refusals'),
      found: spread(values('refusalPercentile99Ms')),
      unit: 'ms',
      goal: { atMost: 10 },
    },
    { title: title('lost, wrong or hung'), found: lostWrongOrHung(values), unit: '', goal: none },
    {
      title: title('most memory'),
      found: spread(values('largestBytes').map((bytes) => bytes / 1e6)),
      unit: 'MB',
      goal: { atMost: 400 },
    },
  ];
}

function lostWrongOrHung(values: (name: string) => number[]): Spread {
  const [lost, wrong, hung] = [values('lost'), values('wrong'), values('hung')];
  return spread(lost.map((count, round) => count + (wrong[round] ?? NaN) + (hung[round] ?? NaN)));
}

const MEASURED: readonly { title: string; name: string; digits: number; unit?: string }[] = [
  { title: 'peak, a second', name: 'peakPerSecond', digits: 0 },
  { title: 'offered, a second', name: 'offeredPerSecond', digits: 0 },
  { title: 'answered with 200, a second', name: 'goodputPerSecond', digits: 0 },
  { title: 'unloaded: median', name: 'unloadedMedianMs', digits: 1, unit: 'ms' },
  { title: 'unloaded: 99th percentile', name: 'unloadedPercentile99Ms', digits: 1, unit: 'ms' },
  { title: 'accepted: median', name: 'acceptedMedianMs', digits: 1, unit: 'ms' },
  { title: 'accepted: 99th percentile', name: 'acceptedPercentile99Ms', digits: 1, unit: 'ms' },
  { title: 'the same, since it was sent', name: 'acceptedSinceSentPercentile99Ms', digits: 1, unit: 'ms' },
  { title: 'refused: median, since it was sent', name: 'refusalMedianMs', digits: 1, unit: 'ms' },
  { title: 'due and never sent, share of the offered', name: 'unsentShare', digits: 3 },
  { title: 'CPU of the server for a request that was sent', name: 'serverMicroseconds', digits: 0, unit: 'µs' },
  { title: 'cores that the client used', name: 'clientCores', digits: 2 },
];

const HOW = `- The peak is the best of 4, 16 and 64 connections that send when they have been answered. Unloaded is a fifth of the peak,
  overload ${TIMES_CAPACITY} times it, each sent at a fixed rate over up to 256 connections whatever becomes of those before. Latency counts
  from when a request was due, so that waiting for a connection, or for a client that has no core left, is in it; the
  client runs on the same cores. Refusals count from when they were sent. Every answer's probabilities are compared with
  those of its own image.
- Of single images as \`pixels\` the thread that takes requests has the most work, so that a refusal costs as much as an answer:
  there the connections are what bounds the load, what is due waits at the client, and only more services answer more.
- The service is told, beside its defaults: ${VARIANT_NAMES.map(
  (name) =>
    `for ${VARIANTS_IN_WORDS[name]} ${Object.entries(ENVIRONMENT[name])
      .map(([variable, value]) => `\`${variable}=${value}\``)
      .join(', ')}`,
).join('; ')}.`;
