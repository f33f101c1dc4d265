import { markdownTable } from '../../src/measurements/markdown-table.ts';
import { spread, spreadInWords } from '../../src/measurements/statistics.ts';
import type { Benchmark, Figures, Sample } from '../benchmark.ts';
import { COMMAND, MODELS, VARIANT_NAMES } from './variant-names.ts';

const WANTED_SECONDS = 3;
const WANTED_TIMES = 3;

export const convert: Benchmark = {
  title: 'Converting a large LayersModel to ONNX',
  program: 'convert/variants',
  variants: VARIANT_NAMES,
  section: renderConvert,
};

/** How long a conversion takes and how much memory, against the size of the weights as float32. */
export function renderConvert({ samples }: Figures): string {
  const rows = Object.entries(MODELS).map(([variant, title]) => {
    const own = samples[variant] ?? [];
    const megabytes = (own[0]?.['modelBytes'] ?? NaN) / 1e6;
    return [title, `${megabytes.toFixed(0)} MB`, secondsOf(own), timesOf(own)];
  });
  const wholeCommand = ['the first, as the whole command', '', secondsOf(samples[COMMAND] ?? []), ''];
  return [
    markdownTable(['weights', 'as float32', 'time', 'memory, against the weights as float32'], [...rows, wholeCommand]),
    `Wanted: less than ${WANTED_SECONDS} s, and less than ${WANTED_TIMES} times the size in memory.`,
    HOW,
  ].join('\n\n');
}

function secondsOf(samples: readonly Sample[]): string {
  const seconds = samples.map((sample) => sample['seconds'] ?? NaN);
  return spreadInWords(spread(seconds), (value) => value.toFixed(2), 's');
}

function timesOf(samples: readonly Sample[]): string {
  const times = samples.map((sample) => (sample['peakBytes'] ?? NaN) / (sample['modelBytes'] ?? NaN));
  return spreadInWords(spread(times), (value) => value.toFixed(2), 'times');
}

const HOW = `- From the first byte that is read to the ONNX file in its place, in a process that has loaded the converter; the files were
  just written, so they come from memory. The whole command has the start of Node and of everything else too.
- Memory is the largest resident set less the one before the conversion. The weights are read into one buffer, and what is
  written is that buffer, so about once their size is the least there can be. Kernels of convolutions are written anew.`;
