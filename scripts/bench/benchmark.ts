import { z } from 'zod';
import { Machine } from '../src/measurements/machine.ts';
import type { Settings } from '../src/settings.ts';
import type { BenchProgram } from './programs.ts';

/** What one process measured of one variant: numbers by name, each of which says its unit. */
export const Sample = z.record(z.string(), z.number());
export type Sample = z.infer<typeof Sample>;

/** What a variant's process is told. */
export const SampleOptions = z.strictObject({
  isQuick: z.boolean(),
  datasetDirectory: z.string().optional(),
  datasetCache: z.string(),
  runsDirectory: z.string(),
  modelsDirectory: z.string(),
});
export type SampleOptions = z.infer<typeof SampleOptions>;

export type Variants = Readonly<Record<string, (options: SampleOptions) => Promise<Sample>>>;

/** One run of a benchmark, as `docs/benchmarks.json` has it. */
export const Figures = z.strictObject({
  writtenAt: z.iso.datetime(),
  machine: Machine,
  rounds: z.int().positive(),
  isQuick: z.boolean(),
  samples: z.record(z.string(), z.array(Sample)).describe('By variant, in the order of the rounds'),
});
export type Figures = z.infer<typeof Figures>;

export interface Benchmark {
  title: string;
  /** What measures one variant in a process of its own; see `measure-variant.ts`. */
  program: BenchProgram;
  variants: readonly string[];
  /** Those that a quick trial measures, where the others are the same with other numbers. Default: all. */
  quickVariants?: readonly string[];
  /** Where one sample of each variant says enough, or takes minutes. Default: 5. */
  defaultRounds?: number;
  /** Its section of the page, Markdown below the title; the same for the same figures. */
  section: (figures: Figures) => string;
}

export interface MeasureOptions {
  rounds: number;
  isQuick: boolean;
  settings: Settings;
}
