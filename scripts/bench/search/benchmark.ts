import { markdownTable } from '../../src/measurements/markdown-table.ts';
import { median, spread, spreadInWords } from '../../src/measurements/statistics.ts';
import type { Benchmark, Figures } from '../benchmark.ts';
import { type Kind, KINDS, SEEDS, VARIANT_NAMES, variantName } from './variant-names.ts';

export const search: Benchmark = {
  title: 'Search',
  program: 'search/variants',
  variants: VARIANT_NAMES,
  quickVariants: KINDS.map((kind) => variantName(kind, SEEDS[0])),
  section: renderSearch,
};

/** What stopping weak trials early saves, and what it costs. */
export function renderSearch({ samples }: Figures): string {
  const values = (kind: Kind, seed: number, name: string) =>
    (samples[variantName(kind, seed)] ?? []).map((sample) => sample[name] ?? NaN);
  const seconds = (kind: Kind, seed: number) =>
    spreadInWords(spread(values(kind, seed, 'seconds')), (value) => value.toFixed(0), 's');
  const accuracy = (kind: Kind, seed: number) => `${(100 * median(values(kind, seed, 'accuracy'))).toFixed(2)} %`;
  const share = (seed: number) => median(values('halving', seed, 'seconds')) / median(values('full', seed, 'seconds'));
  const seeds = SEEDS.filter((seed) => variantName('full', seed) in samples);
  const rows = seeds.map((seed) => [
    `seed ${seed}`,
    seconds('full', seed),
    seconds('halving', seed),
    `${(100 * share(seed)).toFixed(0)} %`,
    accuracy('full', seed),
    accuracy('halving', seed),
    `${median(values('halving', seed, 'epochs'))} of ${median(values('full', seed, 'epochs'))}`,
  ]);
  const header = [
    '20 trials of ann-128',
    'all to the end',
    'with halving',
    'of the time',
    'best validation accuracy',
    'with halving',
    'epochs',
  ];
  return [
    markdownTable(header, rows),
    `Wanted: less than half of the time, and at least as good a validation accuracy. Found: ${spreadInWords(
      spread(seeds.map(share)),
      (value) => (100 * value).toFixed(0),
      '%',
    )} of the time.`,
    HOW,
  ].join('\n\n');
}

const HOW = `- \`npm run search -- --recipe ann-128 --trials 20 --seed N\` with its default space, one trial at a time, as a whole process
  from its start to its end, with and without \`--no-halving\`.
- A seed draws the same twenty recipes for both. What is the same recipe and goes as far comes to the same bits, so halving
  finds the same best trial where it does not stop that one early.`;
