import type { Benchmark } from '../benchmark.ts';
import { renderTraining } from './render.ts';
import { VARIANT_NAMES } from './variant-names.ts';

export const training: Benchmark = {
  title: 'Training',
  program: 'training/variants',
  variants: VARIANT_NAMES,
  section: renderTraining,
};
