import { markdownTable } from '../../../src/measurements/markdown-table.ts';
import { median, type Spread, spread } from '../../../src/measurements/statistics.ts';
import type { Benchmark, Figures } from '../../benchmark.ts';
import { goalTable, type MeasuredGoal, valuesOf } from '../../goal-table.ts';
import { LEAK_BYTES, PLANTED_LEAK, SERVICE, VARIANT_NAMES } from './variant-names.ts';

export const servingSoak: Benchmark = {
  title: 'Serving a million requests',
  program: 'serving/soak/variants',
  variants: VARIANT_NAMES,
  defaultRounds: 1,
  section: renderSoak,
};

/** What becomes of very many requests, and of the memory. */
export function renderSoak({ samples }: Figures): string {
  const goals = goalsOf(samples);
  return [goalTable(goals, 'figure'), markdownTable(MEMORY_COLUMNS, memoryRows(samples)), HOW].join('\n\n');
}

function goalsOf(samples: Figures['samples']): MeasuredGoal[] {
  const values = (name: string) => valuesOf(samples, SERVICE, name);
  const counted = (title: string, name: string, goal: MeasuredGoal['goal'] = null): MeasuredGoal => ({
    title,
    found: spread(values(name)),
    unit: '',
    goal,
  });
  const none = { atMost: 0 };
  return [
    counted('requests', 'sent'),
    counted('answered with probabilities', 'answered'),
    counted('wrong requests that were refused', 'refused'),
    counted('clients that went away', 'left'),
    counted('answers of 500 and above', 'failed', none),
    counted('lost', 'lost', none),
    counted("with another image's probabilities, or another status than was right", 'wrong', none),
    counted('hung', 'hung', none),
    {
      title: 'memory at the end',
      found: megabytes(values('proportionalBytesAfter')),
      unit: 'MB',
      goal: { atMost: 400 },
    },
    counted('rounds in which memory grew', 'isLeak', none),
    {
      title: 'rounds in which the planted leak was caught',
      found: spread(valuesOf(samples, PLANTED_LEAK, 'isLeak')),
      unit: '',
      goal: { atLeast: 1 },
    },
  ];
}

const MEMORY_COLUMNS = [
  'memory',
  'before',
  'after',
  'largest',
  'RSS after',
  'growth over 100,000 requests, 95 % interval',
];

function memoryRows(samples: Figures['samples']): string[][] {
  return VARIANT_NAMES.map((variant) => {
    const middle = (name: string) => median(valuesOf(samples, variant, name)) / 1e6;
    const whole = (name: string) => `${middle(name).toFixed(0)} MB`;
    const [slope, lowest, highest] = ['slopeBytes', 'lowestSlopeBytes', 'highestSlopeBytes'].map((name) =>
      middle(name).toFixed(2),
    );
    return [
      variant === SERVICE
        ? 'the service'
        : `the same with a leak of ${median(valuesOf(samples, variant, 'plantedBytes'))} bytes a request`,
      ...['proportionalBytesBefore', 'proportionalBytesAfter', 'largestProportionalBytes', 'residentBytesAfter'].map(
        whole,
      ),
      `${slope} MB (${lowest} to ${highest})`,
    ];
  });
}

function megabytes(bytes: readonly number[]): Spread {
  return spread(bytes.map((value) => value / 1e6));
}

const HOW = `- From 64 connections, each sending when it has been answered: of a hundred requests 40 of \`pixels\`, 28 binary tensors, 20
  PNG of 28×28, 2 JPEG of 1024×768, 5 that are wrong in eleven ways, and 5 whose client goes away within 5 ms, some in the
  middle of the body. Of every answer the status is looked at, and the probabilities are compared with those that the model
  gives its image alone.
- Memory is of all processes of the service, pages that they share counted in parts (PSS), looked at 25 times, each time
  after 2 s without a request. The line through what is left after the first fifth is the growth; memory grows when
  the whole interval lies above ${LEAK_BYTES / 1e6} MB, ten bytes a request.
- The leak is planted from outside, by a module that is loaded before the service, over 150,000 requests.`;
