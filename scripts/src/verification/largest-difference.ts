import type { TensorValues } from './tensor-values.ts';

/** One output as the reference gives it and as the model under test does; undefined where that has none. */
export interface OutputPair {
  name: string;
  expected: TensorValues;
  found: TensorValues | undefined;
}

export interface Difference {
  /** The largest over all outputs, each in terms of its own largest expected magnitude; Infinity where there is a fault. */
  relative: number;
  /** Of the same output, as it is. */
  absolute: number;
  /** That output's name; undefined without any output that could be compared. */
  output: string | undefined;
  /** What no number says, a sentence each: another shape, a missing output, no number where one is expected. */
  faults: readonly string[];
}

/** How far outputs are apart. Equal infinities, and no number on both sides, are no difference. */
export function largestDifference(pairs: readonly OutputPair[]): Difference {
  const compared = pairs.map(compare);
  const faults = compared.flatMap((result) => (typeof result === 'string' ? [result] : []));
  const [worst] = compared
    .flatMap((result) => (typeof result === 'string' ? [] : [result]))
    .sort((a, b) => b.relative - a.relative);
  const { relative, absolute, output } = worst ?? { relative: 0, absolute: 0, output: undefined };
  return { relative: faults.length > 0 ? Infinity : relative, absolute, output, faults };
}

/** The difference of one output, or its fault. */
function compare({ name, expected, found }: OutputPair): Omit<Difference, 'faults'> | string {
  if (!found) return `Output "${name}" is missing.`;
  if (expected.shape.join() !== found.shape.join()) {
    return `Output "${name}" has shape [${found.shape.join(', ')}]; expected [${expected.shape.join(', ')}].`;
  }
  let [absolute, largest] = [0, 0];
  for (let index = 0; index < expected.data.length; index++) {
    const [wanted, came] = [Number(expected.data[index]), Number(found.data[index])];
    if (Number.isFinite(wanted)) largest = Math.max(largest, Math.abs(wanted));
    if (wanted === came || (Number.isNaN(wanted) && Number.isNaN(came))) continue;
    const difference = Math.abs(wanted - came);
    if (!Number.isFinite(difference)) {
      return `Output "${name}" has ${came} as element ${index}; expected ${wanted}.`;
    }
    absolute = Math.max(absolute, difference);
  }
  // Where nothing but zeros is expected, any other number is infinitely far.
  return { relative: absolute === 0 ? 0 : absolute / largest, absolute, output: name };
}
