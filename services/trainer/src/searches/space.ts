import { z } from 'zod';
import { canonicalJson } from '../runs/canonical-json.ts';

/** Any JSON value, as a recipe may hold it. */
export const JsonValue = z.json().meta({ id: 'JsonValue' });
export type JsonValue = z.infer<typeof JsonValue>;

/** Of a drawn number: finer makes no difference to a network, and people read these. */
const SIGNIFICANT_DIGITS = 6;

/** A number as it is drawn. */
export function rounded(value: number): number {
  return Number(value.toPrecision(SIGNIFICANT_DIGITS));
}

const MAXIMUM_DIMENSIONS = 32;
/** Of all choices together: each is tried in the recipe before anything runs. */
const MAXIMUM_VALUES = 1000;
/** RFC 6901, at least one step. */
const POINTER = /^(\/([^~/]|~[01])*)+$/;

const BELOW = { path: ['maximum'], error: 'the maximum must be above the minimum' };
const isAscending = ({ minimum, maximum }: { minimum: number; maximum: number }) => minimum < maximum;

const SAME = {
  path: ['maximum'],
  error: `equals the minimum when rounded to ${SIGNIFICANT_DIGITS} significant digits`,
};
/** Equal and descending ends have their own message. */
const isWide = (ends: { minimum: number; maximum: number }) =>
  !isAscending(ends) || rounded(ends.minimum) < rounded(ends.maximum);

/** Two equal choices would be one that is likelier, and a search would look in vain for as many different trials. */
function refuseEqual(values: readonly JsonValue[], context: z.RefinementCtx): void {
  const first = new Map<string, number>();
  for (const [index, value] of values.entries()) {
    const text = canonicalJson(value);
    const before = first.get(text);
    if (before === undefined) first.set(text, index);
    else
      context.addIssue({ code: 'custom', path: [index], message: `equals values/${before}; expected each value once` });
  }
}

/** What a field of the recipe may be in a trial. */
export const Dimension = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('choice').describe('One of these, each as likely'),
    values: z.array(JsonValue).min(1).max(100).superRefine(refuseEqual).describe('As the field would have them'),
  }),
  z
    .strictObject({
      kind: z.literal('uniform').describe('Any number between, each as likely'),
      minimum: z.number().describe('Smallest value'),
      maximum: z.number().describe('Largest value'),
    })
    .refine(isAscending, BELOW)
    .refine(isWide, SAME),
  z
    .strictObject({
      kind: z.literal('log-uniform').describe('Each order of magnitude as likely'),
      minimum: z.number().positive().describe('Smallest value, above 0'),
      maximum: z.number().positive().describe('Largest value'),
    })
    .refine(isAscending, BELOW)
    .refine(isWide, SAME),
  z
    .strictObject({
      kind: z.literal('integer').describe('Any integer from the one to the other, each as likely'),
      minimum: z.int().describe('Smallest value'),
      maximum: z.int().describe('Largest value'),
    })
    .refine(isAscending, BELOW),
]);
export type Dimension = z.infer<typeof Dimension>;

// In line comments, because a pointer with a star would end the other kind.
// What a search tries: fields of a recipe, by JSON Pointer (RFC 6901), and what each may be. `*` in an array's place gives
// every element the same value: `/hiddenLayers/*/dropout`.
export const SearchSpace = z.record(z.string(), Dimension).superRefine((space, context) => {
  const pointers = Object.keys(space);
  if (pointers.length < 1 || pointers.length > MAXIMUM_DIMENSIONS) {
    const message = `expected 1 to ${MAXIMUM_DIMENSIONS} dimensions, got ${pointers.length}`;
    context.addIssue({ code: 'custom', message });
  }
  const values = Object.values(space).reduce(
    (sum, dimension) => sum + (dimension.kind === 'choice' ? dimension.values.length : 0),
    0,
  );
  if (values > MAXIMUM_VALUES) {
    const message = `expected at most ${MAXIMUM_VALUES} values in all dimensions together, got ${values}`;
    context.addIssue({ code: 'custom', message });
  }
  for (const pointer of pointers.filter((each) => !POINTER.test(each))) {
    const message = 'expected a JSON Pointer into the recipe, such as /optimizer/learningRate';
    context.addIssue({ code: 'custom', path: [pointer], message });
  }
});
export type SearchSpace = z.infer<typeof SearchSpace>;
