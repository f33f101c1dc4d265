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
    'serving/constant-server',
    'serving/hand-written-server',
    'serving/load/load-process',
    'serving/overload/variants',
    'serving/soak/variants',
    'serving/speed/variants',
    'serving/two-processes',
    'trainer/variants',
    'training/variants',
  ],
  external: OUTSIDE,
} as const;
export type BenchProgram = (typeof ENTRIES.names)[number];

/** The path of a program of the benchmarks as JavaScript, as which commands and services run, too. */
export async function benchProgram(name: BenchProgram): Promise<string> {
  return (await compiledEntries(ENTRIES))[name];
}
