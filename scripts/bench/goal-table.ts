import { markdownTable } from '../src/measurements/markdown-table.ts';
import { type Spread, spread, spreadInWords } from '../src/measurements/statistics.ts';
import type { Figures } from './benchmark.ts';

/** A figure, and what it is to reach. Percentages are shares of 1 here. */
export interface MeasuredGoal {
  title: string;
  found: Spread;
  unit: keyof typeof TEXTS;
  /** Null where nothing is to be reached. */
  goal: { atLeast: number } | { atMost: number } | null;
}

/** Every figure with its goal beside it, and whether that was reached by the median. */
export function goalTable(rows: readonly MeasuredGoal[], title = 'ratio'): string {
  return markdownTable([title, 'wanted', 'found', 'reached'], rows.map(goalRow));
}

function goalRow({ title, found, unit, goal }: MeasuredGoal): string[] {
  const text = TEXTS[unit];
  const suffix = unit === '' ? '' : ` ${unit}`;
  const wanted =
    goal === null ? '' : 'atLeast' in goal ? `at least ${text(goal.atLeast)}` : `at most ${text(goal.atMost)}`;
  return [title, wanted === '' ? '' : `${wanted}${suffix}`, spreadInWords(found, text, unit), verdict(found, goal)];
}

const TEXTS = {
  '%': (share: number) => (share * 100).toFixed(1),
  times: (value: number) => value.toFixed(1),
  MB: (value: number) => value.toFixed(0),
  ms: (value: number) => value.toFixed(2),
  s: (value: number) => value.toFixed(2),
  '': (value: number) => value.toFixed(0),
} as const;

function verdict({ median }: Spread, goal: MeasuredGoal['goal']): string {
  if (goal === null) return '';
  const isReached = 'atLeast' in goal ? median >= goal.atLeast : median <= goal.atMost;
  return isReached ? 'yes' : '**no**';
}

/** One value for each round; a variant or a number that is missing is an error. */
export function valuesOf(samples: Figures['samples'], variant: string, name: string): number[] {
  return (samples[variant] ?? []).map((sample) => {
    const value = sample[name];
    if (value === undefined) throw new RangeError(`A sample of ${variant} has no ${name}.`);
    return value;
  });
}

export function roundByRound(
  first: readonly number[],
  second: readonly number[],
  ratio: (first: number, second: number) => number,
): Spread {
  return spread(first.map((value, round) => ratio(value, second[round] ?? NaN)));
}
