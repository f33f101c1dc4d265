import { median } from '../../../src/measurements/statistics.ts';
import type { Sample } from '../../benchmark.ts';

/** The same numbers under names that begin with what they are of, as `grey.seconds`. */
export function prefixed(prefix: string, sample: Sample): Sample {
  return Object.fromEntries(Object.entries(sample).map(([name, value]) => [`${prefix}.${name}`, value]));
}

/** Of each number of at least one sample the median; all have the same names. */
export function medianOf(samples: readonly Sample[]): Sample {
  return ofEach(samples, median);
}

/** The same with the mean. */
export function meanOf(samples: readonly Sample[]): Sample {
  return ofEach(samples, (values) => values.reduce((sum, value) => sum + value, 0) / values.length);
}

function ofEach([first = {}, ...others]: readonly Sample[], one: (values: readonly number[]) => number): Sample {
  return Object.fromEntries(
    Object.entries(first).map(([name, value]) => [name, one([value, ...others.map((sample) => sample[name] ?? NaN)])]),
  );
}
