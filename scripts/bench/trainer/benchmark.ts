import { markdownTable } from '../../src/measurements/markdown-table.ts';
import { spread, spreadInWords } from '../../src/measurements/statistics.ts';
import type { Benchmark, Figures } from '../benchmark.ts';

const TITLES = { 'at-rest': 'at rest', 'while-it-trains': 'while deep-bn trains at full speed' } as const;

export const trainer: Benchmark = {
  title: 'The trainer answers while it trains',
  program: 'trainer/variants',
  variants: Object.keys(TITLES),
  section: renderTrainer,
};

/** How soon a probe is answered. */
export function renderTrainer({ samples }: Figures): string {
  const rows = Object.entries(TITLES).map(([variant, title]) => [
    title,
    ...['medianMs', 'percentile99Ms', 'maximumMs'].map((name) =>
      spreadInWords(
        spread((samples[variant] ?? []).map((sample) => sample[name] ?? NaN)),
        (value) => value.toFixed(1),
        'ms',
      ),
    ),
  ]);
  return [
    markdownTable(['GET /healthz', 'median', '99th percentile', 'longest'], rows),
    'Wanted: at most 50 ms at the 99th percentile while a run trains at full speed.',
    '- A thousand requests on one connection, 10 ms apart, to a service with its default settings on the loopback address; the run has as many threads as there are cores.',
  ].join('\n\n');
}
