import { spread } from '../../../src/measurements/statistics.ts';
import type { Figures } from '../../benchmark.ts';
import { type MeasuredGoal, roundByRound, valuesOf } from '../../goal-table.ts';
import { CONNECTIONS, DECODING_LOOP, START, type VariantName } from './variant-names.ts';

type Samples = Figures['samples'];

/** What serving is to reach. */
export function goalsOf(samples: Samples): MeasuredGoal[] {
  const values = (variant: VariantName, name: string) => valuesOf(samples, variant, name);
  const perSecond = (variant: VariantName) => values(variant, 'perSecond');
  const ratio = (first: number[], second: number[]) => roundByRound(first, second, (a, b) => a / b);
  const bestByHand = (kind: 'pixels' | 'binary') =>
    eachRound(perSecond(`hand-written-${kind}`), perSecond(`hand-written-${kind}-one-thread`), Math.max);
  const longer = (variant: VariantName, kind: 'pixels' | 'binary') => {
    const median = (name: VariantName) => values(name, 'oneConnectionMedianMs');
    const byHand = eachRound(median(`hand-written-${kind}`), median(`hand-written-${kind}-one-thread`), Math.min);
    return roundByRound(median(variant), byHand, (own, other) => own - other);
  };
  const megabytes = (name: string) => spread(values(START, name).map((bytes) => bytes / 1e6));
  return [
    {
      title: `PNG of 28×28, ${CONNECTIONS} connections: share of the bare decoding loop`,
      found: ratio(perSecond('png'), perSecond(DECODING_LOOP)),
      unit: '%',
      goal: { atLeast: 0.8 },
    },
    {
      title: `\`pixels\`, ${CONNECTIONS} connections: against the hand-written route`,
      found: ratio(perSecond('pixels'), bestByHand('pixels')),
      unit: 'times',
      goal: { atLeast: 2 },
    },
    {
      title: `binary tensors, ${CONNECTIONS} connections: against the hand-written route with bytes`,
      found: ratio(perSecond('tensors'), bestByHand('binary')),
      unit: 'times',
      goal: { atLeast: 2 },
    },
    {
      title: '`pixels`, one connection: median above the hand-written one',
      found: longer('pixels', 'pixels'),
      unit: 'ms',
      goal: { atMost: 0.3 },
    },
    {
      title: 'binary tensors, one connection: median above the hand-written one with bytes',
      found: longer('tensors', 'binary'),
      unit: 'ms',
      goal: { atMost: 0.3 },
    },
    {
      title: `two processes against one: PNG of 28×28, ${CONNECTIONS} connections`,
      found: ratio(perSecond('two-processes-png'), perSecond('png')),
      unit: '%',
      goal: null,
    },
    {
      title: `two processes against one: \`pixels\`, ${CONNECTIONS} connections`,
      found: ratio(perSecond('two-processes-pixels'), perSecond('pixels')),
      unit: '%',
      goal: null,
    },
    {
      title: 'from its start to ready',
      found: spread(values(START, 'readyMs').map((milliseconds) => milliseconds / 1000)),
      unit: 's',
      goal: { atMost: 1 },
    },
    { title: 'memory, idle', found: megabytes('proportionalBytes'), unit: 'MB', goal: { atMost: 250 } },
    {
      title: 'the same, shared pages counted in each process (RSS)',
      found: megabytes('residentBytes'),
      unit: 'MB',
      goal: null,
    },
  ];
}

function eachRound(first: number[], second: number[], choose: (a: number, b: number) => number): number[] {
  return first.map((value, round) => choose(value, second[round] ?? NaN));
}
