import { z } from 'zod';

/** Where a number may lie; a bound that is left out is none. */
export interface NumberRange {
  /** The least that is allowed. */
  from?: number;
  /** The greatest that is too small. */
  above?: number;
  /** The greatest that is allowed. */
  to?: number;
  /** The least that is too large. */
  below?: number;
}

/** A finite number in a range; what is outside, or none, is told the whole range: `expected a number above 0; came -1`. */
export function numberIn(range: NumberRange): z.ZodNumber {
  const error = complaint('a number', range);
  return bounded(z.number({ error }), range, error);
}

/** The same for a whole number: `expected a whole number from 1 to 10,000; came 1.5`. */
export function wholeNumberIn(range: NumberRange): z.ZodInt {
  const error = complaint('a whole number', range);
  // zod's own bound, of what a double can count: not worth a word before somebody is beyond it.
  const uncountable = complaint('a whole number', { to: Number.MAX_SAFE_INTEGER, ...range });
  const tellType: Complaint = (issue) => (issue.code === 'too_big' ? uncountable : error)(issue);
  return bounded(z.int({ error: tellType, abort: true }), range, error); // `abort`, or it would be told twice
}

/** The range in words: `from 1 to 10,000`, `above 0`, `from 0 to below 1`; empty where there are no bounds. */
export function rangeInWords({ from, above, to, below }: NumberRange): string {
  return [
    ...(from === undefined ? [] : [`from ${grouped(from)}`]),
    ...(above === undefined ? [] : [`above ${grouped(above)}`]),
    ...(to === undefined ? [] : [`to ${grouped(to)}`]),
    ...(below === undefined ? [] : [`to below ${grouped(below)}`]),
  ].join(' ');
}

type Complaint = (issue: { code?: string; input?: unknown }) => string;

/** zod asks each check for a message of its own: that of the schema is for the type alone. */
function bounded<S extends z.ZodNumber>(schema: S, { from, above, to, below }: NumberRange, error: Complaint): S {
  let limited = schema;
  if (from !== undefined) limited = limited.min(from, { error });
  if (above !== undefined) limited = limited.gt(above, { error });
  if (to !== undefined) limited = limited.max(to, { error });
  if (below !== undefined) limited = limited.lt(below, { error });
  return limited;
}

function complaint(kind: string, range: NumberRange): Complaint {
  const expected = `expected ${[kind, rangeInWords(range)].join(' ').trim()}`;
  return ({ input }) => `${expected}; came ${shortened(input)}`;
}

/** Longer texts would only fill the answer. */
const LONGEST_TEXT = 40;

function shortened(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') {
    return JSON.stringify(value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value);
  }
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}

/** As many digits as the number has: 0.00001 is not 0. */
function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 20 });
}
