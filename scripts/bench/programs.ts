import { compiledEntries } from '@atelier/compiled-entries';
import { OUTSIDE } from '../src/programs.ts';

const ENTRIES = {
  label: 'bench',
  beside: import.meta.url,
  names: [
    'bench',
    'convert/variants',
    'search/variants',
    'serving/decoding-loop',
    'serving/evaluation/decoding-pass',
    'serving/evaluation/variants',
    'serving/load/load-process',
    'serving/overload/variants',
    'serving/soak/variants',
    'serving/speed/variants',
    'trainer/variants',
    'training/variants',
  ],
  external: OUTSIDE,
} as const;
export type BenchProgram = (typeof ENTRIES.names)[number];

/** The path of a program of the benchmarks as JavaScript. The servers that they measure start as whoever serves starts them. */
export async function benchProgram(name: BenchProgram): Promise<string> {
  return (await compiledEntries(ENTRIES))[name];
}
