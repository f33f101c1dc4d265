import type { ConformanceCase } from '../conformance-case.ts';
import { EXTENSIONS } from './extensions.ts';
import { HEALTH_AND_METADATA } from './health-and-metadata.ts';
import { INFERENCE } from './inference.ts';
import { MATRIX } from './matrix.ts';
import { REFUSALS } from './refusals.ts';

/** Every case, in the order in which a server is asked. */
export const CASES: readonly ConformanceCase[] = [
  ...HEALTH_AND_METADATA,
  ...INFERENCE,
  ...MATRIX,
  ...EXTENSIONS,
  ...REFUSALS,
];
