import { z } from 'zod';
import { Machine } from '../measurements/machine.ts';
import { type Spread, spread } from '../measurements/statistics.ts';
import { MeasuredRun } from '../recipe-runs/measured-run.ts';
import { type Contender, CONTENDERS, type Goals } from './contenders.ts';

/** The figures of a comparison, as `results.json` has them; the page is made of nothing else. */
export const Results = z.strictObject({
  writtenAt: z.iso.datetime(),
  machine: Machine,
  seeds: z.array(z.int().min(0)).min(1),
  limit: z.int().positive().nullable(),
  epochsScale: z.number().positive().describe('Of every recipe; 1 in a comparison that counts'),
  testLooks: z.record(z.string(), z.int().min(0)).describe('By recipe'),
  runs: z.array(MeasuredRun),
});
export type Results = z.infer<typeof Results>;

/** Those of a comparison that counts. */
export const SEEDS: readonly number[] = [1, 2, 3];

/** A trial, whose figures say nothing of the recipes. */
export function isTrial({ limit, epochsScale, seeds }: Pick<Results, 'limit' | 'epochsScale' | 'seeds'>): boolean {
  return limit !== null || epochsScale !== 1 || seeds.join() !== SEEDS.join();
}

/** What the runs of a contender came to; null where there is none. */
export interface Outcome {
  contender: Contender;
  runs: MeasuredRun[];
  measured: {
    train: Spread;
    validation: Spread;
    test: Spread;
    modelBytes: Spread;
    epochs: Spread;
    bestEpoch: Spread;
    secondsPerEpoch: Spread;
    seconds: Spread;
  } | null;
  goals: { name: keyof Goals; goal: number; found: number; isReached: boolean }[];
}

/** One for each contender, in the order of the table. */
export function outcomes({ runs }: Pick<Results, 'runs'>): Outcome[] {
  return CONTENDERS.map((contender) => outcome(contender, runs));
}

function outcome(contender: Contender, allRuns: readonly MeasuredRun[]): Outcome {
  const runs = allRuns.filter(({ row }) => row === contender.name).toSorted((a, b) => a.seed - b.seed);
  if (runs.length === 0) return { contender, runs, measured: null, goals: [] };
  const of = (value: (run: MeasuredRun) => number) => spread(runs.map(value));
  const measured = {
    train: of(({ accuracy }) => accuracy.train),
    validation: of(({ accuracy }) => accuracy.validation),
    test: of(({ accuracy }) => accuracy.test),
    modelBytes: of(({ modelBytes }) => modelBytes),
    epochs: of(({ epochs }) => epochs),
    bestEpoch: of(({ bestEpoch }) => bestEpoch),
    secondsPerEpoch: of(({ trainingSeconds, epochs }) => trainingSeconds / epochs),
    seconds: of(({ seconds }) => seconds),
  };
  const goals = (Object.entries(contender.reach) as [keyof Goals, number][]).map(([name, goal]) => {
    const found = measured[name].median;
    return { name, goal, found, isReached: name === 'modelBytes' ? found <= goal : found >= goal };
  });
  return { contender, runs, measured, goals };
}
