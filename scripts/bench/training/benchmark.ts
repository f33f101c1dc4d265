import type { Benchmark } from '../benchmark.ts';
import { renderTraining } from './render.ts';
import { VARIANT_NAMES } from './variant-names.ts';

export const training: Benchmark = {
  title: 'Training',
  script: new URL('./variants.ts', import.meta.url),
  variants: VARIANT_NAMES,
  section: renderTraining,
};
