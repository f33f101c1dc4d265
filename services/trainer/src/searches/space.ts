import { z } from 'zod';

/** Any JSON value, as a recipe may hold it. */
export const JsonValue = z.json().meta({ id: 'JsonValue' });
export type JsonValue = z.infer<typeof JsonValue>;

const MAXIMUM_DIMENSIONS = 32;
/** RFC 6901, at least one step. */
const POINTER = /^(\/([^~/]|~[01])*)+$/;

const BELOW = { path: ['maximum'], error: 'the maximum must be above the minimum' };
const isAscending = ({ minimum, maximum }: { minimum: number; maximum: number }) => minimum < maximum;

/** What a field of the recipe may be in a trial. */
export const Dimension = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('choice').describe('One of these, each as likely'),
    values: z.array(JsonValue).min(1).max(100).describe('As the field would have them'),
  }),
  z
    .strictObject({
      kind: z.literal('uniform').describe('Any number between, each as likely'),
      minimum: z.number().describe('Smallest value'),
      maximum: z.number().describe('Largest value'),
    })
    .refine(isAscending, BELOW),
  z
    .strictObject({
      kind: z.literal('log-uniform').describe('Each order of magnitude as likely'),
      minimum: z.number().positive().describe('Smallest value, above 0'),
      maximum: z.number().positive().describe('Largest value'),
    })
    .refine(isAscending, BELOW),
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
  for (const pointer of pointers.filter((each) => !POINTER.test(each))) {
    const message = 'expected a JSON Pointer into the recipe, such as /optimizer/learningRate';
    context.addIssue({ code: 'custom', path: [pointer], message });
  }
});
export type SearchSpace = z.infer<typeof SearchSpace>;
