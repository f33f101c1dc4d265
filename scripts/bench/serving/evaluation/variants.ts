// Measures evaluations, predictions beside them, and explanations, each in a process of its own.
import type { Variants } from '../../benchmark.ts';
import { measureVariant } from '../../measure-variant.ts';
import { archives } from './archives.ts';
import { explain } from './explain.ts';
import { idx } from './idx.ts';
import { online } from './online.ts';
import { ARCHIVES, EXPLAIN, IDX, ONLINE, type VariantName } from './variant-names.ts';

const VARIANTS: Record<VariantName, Variants[string]> = {
  [IDX]: idx,
  [ARCHIVES]: archives,
  [ONLINE]: online,
  [EXPLAIN]: explain,
};

await measureVariant(VARIANTS, process.argv.slice(2));
