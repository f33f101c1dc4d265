/** The middle of `values`, or the mean of the two in the middle; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** The median with what it stands for: every value lies between `lowest` and `highest`. */
export interface Spread {
  median: number;
  lowest: number;
  highest: number;
}

/** At least one value; none is a `RangeError`. */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('No values; expected at least one.');
  return { median: median(values), lowest: Math.min(...values), highest: Math.max(...values) };
}

/** One line for a table: "90.12 % (89.95 to 90.30)", or the value alone where there is no spread. */
export function spreadInWords(
  { median: middle, lowest, highest }: Spread,
  text: (value: number) => string,
  unit = '',
): string {
  const suffix = unit === '' ? '' : ` ${unit}`;
  const value = `${text(middle)}${suffix}`;
  return lowest === highest ? value : `${value} (${text(lowest)} to ${text(highest)})`;
}
